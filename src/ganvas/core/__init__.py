"""The ground floor: errors, settings, files, images, devices. It imports no other room."""
