"""Data sets: any folder, archive or name becomes uint8 pictures [N, C, H, W] with class labels where there are any."""
