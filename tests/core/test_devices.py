"""Names of devices and of arithmetic; what counts as out of memory."""

import pytest
import torch

from ganvas.core import devices
from ganvas.core.errors import UsageError

CPU = torch.device("cpu")


def test_auto_is_a_device_that_is_there():
    chosen = devices.choose_device("auto")
    torch.zeros(1, device=chosen)
    if not torch.cuda.is_available() and not torch.backends.mps.is_available():
        assert chosen == CPU


@pytest.mark.parametrize("name", ["gpu", "", "cpu:x", "tpu", "cuda:"])
def test_a_name_that_is_no_device_is_refused_with_those_there_are(name):
    with pytest.raises(UsageError, match="use auto, cpu, cuda, cuda:N or mps"):
        devices.choose_device(name)


@pytest.mark.parametrize("name", ["meta", "cuda", "cuda:1", "mps"])
def test_a_device_that_is_not_here_is_refused(name, monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    with pytest.raises(UsageError, match="finds no such device here; use --device auto"):
        devices.choose_device(name)


def test_precision_is_bfloat16_where_it_is_native_and_otherwise_as_asked(monkeypatch):
    for native, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "get_capabilities", lambda native=native: {"avx512_bf16": native})
        assert devices.choose_precision("auto", CPU) == dtype
        assert devices.choose_precision("float32", CPU) == torch.float32
        assert devices.choose_precision("bfloat16", CPU) == torch.bfloat16


@pytest.mark.parametrize("name", ["float16", "bf16", "float", ""])
def test_another_precision_is_refused_with_those_there_are(name):
    with pytest.raises(UsageError, match="use auto, float32, bfloat16, float64"):
        devices.choose_precision(name, CPU)


def test_autocast_is_on_for_bfloat16_only():
    with devices.autocast(CPU, torch.bfloat16):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.bfloat16
    with devices.autocast(CPU, torch.float32):
        assert (torch.ones(2, 2) @ torch.ones(2, 2)).dtype == torch.float32


def test_a_real_allocation_that_fails_is_out_of_memory():
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert devices.is_out_of_memory(caught.value)


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        torch.OutOfMemoryError("x"),
        RuntimeError("CUDA out of memory. Tried"),
        RuntimeError("std::bad_alloc"),
    ],
)
def test_errors_that_say_that_memory_ran_out(error):
    assert devices.is_out_of_memory(error)


@pytest.mark.parametrize("error", [RuntimeError("shapes differ"), ValueError("out of memory"), KeyboardInterrupt()])
def test_other_errors_are_not_taken_for_it(error):
    assert not devices.is_out_of_memory(error)


def test_some_memory_is_available_and_less_than_any_machine_has():
    assert 256 * 2**20 <= devices.available_memory() < 2**50
