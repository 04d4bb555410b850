"""Tests of `sl_ip_top` over its public ports: registers, loading, jobs of two models, resets; each comparison with a flaw it must see."""

import copy
import random

import cocotb
from cocotb.triggers import ClockCycles, Timer
from cocotbext.axi import AxiResp

from sluice_axi import REG, Accelerator, Held, LoadImage, Mismatch, compare
from sluice_jobs import BLOCK, DENSE, FOLDER, REPORT, SEQUENCES, STREAM, flawed

# Periods of config clock and compute clock, ps: config slower, faster, equal.
CLOCKS = {"slow_config": (10_000, 3_130), "fast_config": (3_000, 7_700), "equal": (5_000, 5_000)}
SLVERR = AxiResp.SLVERR


def image():
    return LoadImage((FOLDER / "both.load").read_bytes(), BLOCK)


async def ready(dut, clocks="slow_config"):
    """An accelerator out of reset."""
    return await Accelerator.create(dut, *CLOCKS[clocks])


async def running(dut, clocks="slow_config", pauses=0.0, seed=1):
    """An accelerator with the program, enabled."""
    accelerator = await ready(dut, clocks)
    accelerator.pause(pauses, seed)
    await accelerator.load(image())
    await accelerator.enable()
    return accelerator


def interleaved(seed):
    """The jobs of all sequences, each in its own order, shuffled into each other."""
    source = random.Random(seed)
    left = [list(s) for s in SEQUENCES]
    jobs = []
    while any(left):
        jobs.append(source.choice([s for s in left if s]).pop(0))
    return jobs


async def must_differ(what, text):
    """Awaits a comparison that has to fail, for the reason given."""
    try:
        await what
    except Mismatch as mismatch:
        assert text in str(mismatch), f"fails for another reason: {mismatch}"
        return
    raise AssertionError(f"a flaw was not seen: {text}")


@cocotb.test(timeout_time=2, timeout_unit="ms")
async def identity(dut):
    acc = await ready(dut)
    await acc.expect("IDENTITY", REG["IDENTITY_VALUE"])
    assert await acc.field("VERSION", "MAJOR") == REG["VERSION_MAJOR_VALUE"]
    assert await acc.field("VERSION", "MINOR") >= REG["VERSION_MINOR_VALUE"]
    for index, word in enumerate(image().config_hash):
        await acc.expect("CONFIG_HASH", word, index)
    configuration = REPORT["configuration"]
    for name, field, key in [
        ("CAPABILITY_SHAPE", "NUM_CORES", "num_cores"),
        ("CAPABILITY_SHAPE", "BLOCK_SIZE", "block_size"),
        ("CAPABILITY_STORES", "WEIGHT_DEPTH", "weight_store_depth"),
        ("CAPABILITY_TENSORS", "TENSOR_DEPTH", "tensor_ram_depth"),
        ("CAPABILITY_PROGRAM", "MAX_MODELS", "max_models"),
    ]:
        found = await acc.field(name, field)
        assert found == configuration[key], f"{name}.{field} is {found}, the configuration says {configuration[key]}"
    await acc.until(idle=True, enabled=False, busy=False, program_ok=False, loading=False)
    await acc.expect("NUM_MODELS", 0)
    await must_differ(acc.expect("IDENTITY", REG["IDENTITY_VALUE"] ^ 1), "IDENTITY")


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def bus_errors(dut):
    acc = await ready(dut, "fast_config")
    acc.pause(0.3)
    await acc.write("SCRATCH", 0xC0C07B00)
    beyond, aside = 0x1800_00, REG["IDENTITY"] + 2
    refused = [
        ("read where no register is", False, beyond, bytes(4), "BAD_ADDRESS"),
        ("write where no register is", True, beyond, bytes(4), "BAD_ADDRESS"),
        ("unaligned read", False, aside, bytes(2), "BAD_ADDRESS"),
        ("write to a read-only register", True, REG["IDENTITY"], bytes(4), "BAD_ADDRESS"),
        ("write of three bytes of four", True, REG["SCRATCH"], b"\xff\xff\xff", "BAD_STROBE"),
        ("window word without a load", True, REG["LOAD_WINDOW"], bytes(4), "LOAD_REFUSED"),
        ("enable without a program", True, REG["CONTROL"], REG["CONTROL_ENABLE"].to_bytes(4, "little"), "ENABLE_REFUSED"),
    ]
    for count, (what, write, address, data, error) in enumerate(refused, 1):
        response, _ = await acc.access(write, address, data)
        assert response == SLVERR, f"{what}: {response.name}"
        await acc.expect("BUS_ERROR_COUNT", count)
        await acc.expect("BUS_ERROR_ADDRESS", address | (REG["BUS_ERROR_ADDRESS_WRITE"] if write else 0))
        await acc.expect_errors(error)
    await acc.expect("SCRATCH", 0xC0C07B00)
    # A word of a register's line that is no register reads zero.
    assert await acc.access(False, REG["SCRATCH"] + 4) == (AxiResp.OKAY, 0)

    # The interrupt follows mask and error.
    await acc.write("ERROR_MASK", REG["ERROR_BAD_ADDRESS"])
    assert not dut.irq.value
    await acc.access(False, beyond)
    assert dut.irq.value and await acc.field("STATUS", "INTERRUPT")
    await acc.expect_errors("BAD_ADDRESS")
    assert not dut.irq.value
    await must_differ(acc.write("IDENTITY", 0), "SLVERR")


@cocotb.test(timeout_time=8, timeout_unit="ms")
@cocotb.parametrize(clocks=list(CLOCKS), pauses=[0.0, 0.4])
async def interleaved_jobs(dut, clocks, pauses):
    acc = await running(dut, clocks, pauses)
    loaded = image()
    assert loaded.crc() == loaded.checksum
    await acc.expect("LOAD_CHECKSUM", loaded.checksum)
    await acc.expect("NUM_MODELS", len(REPORT["models"]))
    for seed in range(2):
        # The second lap goes on with the state the first one left, which the sequences do not know of.
        for model in range(len(SEQUENCES)):
            acc.reset_state(model)
        jobs = interleaved(seed)
        acc.start(*jobs)
        await acc.check(jobs)
        await acc.quiet()
    done = 2 * len(jobs)
    await acc.until(busy=False)
    await ClockCycles(dut.config_clock, 40)
    await acc.expect("JOBS_DONE", done)
    assert int(dut.jobs_done.value) == done
    for model, jobs in enumerate(SEQUENCES):
        await acc.expect("MODEL_JOBS", 2 * len(jobs), model)
    await acc.expect("BAD_SELECT_COUNT", 0)
    await acc.expect_errors()
    assert await acc.read("BUSY_CYCLES") < await acc.read("CYCLES")


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def select_out_of_range(dut):
    acc = await running(dut, pauses=0.3, seed=2)
    bad = [len(SEQUENCES), 0x7FFF, 0x8000 | len(SEQUENCES)]
    await acc.write("ERROR_MASK", REG["ERROR_BAD_SELECT"])
    assert not dut.irq.value
    jobs = interleaved(3)
    for number, job in enumerate(jobs):
        if number in (2, 3, 9):
            acc.select.send_nowait(bad[(2, 3, 9).index(number)].to_bytes(2, "little"))
        acc.start(job)
    await acc.check(jobs)
    await acc.quiet()
    await ClockCycles(dut.config_clock, 40)
    await acc.expect("BAD_SELECT_COUNT", len(bad))
    await acc.expect("LAST_BAD_SELECT", bad[-1])
    assert (int(dut.bad_select_count.value), int(dut.last_bad_select.value)) == (len(bad), bad[-1])
    await acc.expect("JOBS_DONE", len(jobs))
    assert dut.irq.value
    await acc.expect_errors("BAD_SELECT")
    assert not dut.irq.value


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def state_reset(dut):
    acc = await running(dut, pauses=0.3, seed=3)
    begin = SEQUENCES[STREAM][:4]
    for _ in range(2):
        acc.start(*begin)
        acc.reset_state(STREAM)
    await acc.check(begin + begin)
    await acc.quiet()
    # Without the reset the state goes on, and the same inputs give something else.
    acc.start(*begin[:2], *begin[:1])
    await acc.check(begin[:2])
    await must_differ(acc.check(begin[:1]), f"model {STREAM}")


@cocotb.test(timeout_time=6, timeout_unit="ms")
@cocotb.parametrize(by=["register", "pin"])
async def reset_in_the_middle(dut, by):
    acc = await running(dut, pauses=0.3, seed=4)
    jobs = interleaved(5)
    for lap in range(4):
        acc.start(*jobs)
        # Half a job's input is lost with the reset, and jobs that were selected.
        await acc.check(jobs[: 3 + lap])
        await ClockCycles(dut.compute_clock, 7 * lap)
        if by == "register":
            await acc.soft_reset()
            await acc.until(program_ok=True, enabled=False)
        else:
            # The core shuts its streams first and follows some cycles later.
            for level in (1, 0):
                dut.compute_reset.value = level
                while dut.stream_reset.value != level:
                    await ClockCycles(dut.compute_clock, 1)
        await acc.until(settling=False, busy=False)
        await acc.expect("JOBS_DONE", 0)
        await acc.expect("MODEL_JOBS", 0, STREAM)
        if by == "register":
            await acc.enable()
    acc.start(*jobs)
    await acc.check(jobs)
    await acc.quiet()


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def stop_and_go(dut):
    """Disabled, selects and inputs wait; nothing of them is lost."""
    acc = await running(dut, "fast_config")
    await acc.write("CONTROL", 0)
    await acc.until(enabled=False, idle=True)
    jobs = SEQUENCES[STREAM]
    acc.start(*jobs)
    await Timer(20, "us")
    assert acc.output.empty()
    await acc.expect("JOBS_DONE", 0)
    await acc.enable()
    await acc.check(jobs)
    await acc.quiet()


@cocotb.test(timeout_time=8, timeout_unit="ms")
async def flipped_load_words(dut):
    acc = await ready(dut, "fast_config")
    acc.pause(0.2)
    # The lowest bits of a weight block in use: the load word of the first row of the first block.
    broken = image()
    address, run = broken.runs[0]
    assert address >> REG["LOAD_ADDRESS_SPACE_LSB"] == REG["SPACE_WEIGHTS"]
    for word in run:
        word[0] ^= 0x8000
    assert broken.crc() != broken.checksum

    # The program's own checksum tells, and nothing can be enabled.
    await acc.load(broken, response=SLVERR)
    await acc.expect_errors("CHECKSUM")
    await acc.write("CONTROL", REG["CONTROL_ENABLE"], SLVERR)
    await acc.expect_errors("ENABLE_REFUSED")

    # With a checksum made to fit, the accelerator runs, and the outputs tell.
    await acc.load(broken, checksum=broken.crc())
    await acc.enable()
    jobs = interleaved(6)
    acc.start(*jobs)
    await must_differ(acc.check(jobs), "expected")

    # The right one again.
    await acc.load(image())
    await acc.enable()
    acc.start(*jobs)
    await acc.check(jobs)
    await acc.quiet()


@cocotb.test(timeout_time=8, timeout_unit="ms")
@cocotb.parametrize(clocks=list(CLOCKS), pauses=[0.0, 0.4])
async def load_stream(dut, clocks, pauses):
    acc = await ready(dut, clocks)
    acc.pause(pauses, 7)
    await acc.expect("CAPABILITY_LOAD", len(dut.config_load_tdata) // 32)
    await acc.load(image(), streamed=True)
    await acc.expect("LOAD_CHECKSUM", image().checksum)
    await acc.enable()
    jobs = interleaved(8)
    acc.start(*jobs)
    await acc.check(jobs)
    await acc.quiet()

    # A packet without a load: dropped, and nothing changes but the error.
    await acc.loads.send(next(image().packets(16)))
    await acc.loads.wait()
    await ClockCycles(dut.config_clock, 16)
    await acc.expect_errors("LOAD_REFUSED")
    await acc.expect("LOAD_COUNT", image().words())

    # A flipped bit: the checksum tells; with one made to fit, the outputs do.
    broken = image()
    for word in broken.runs[0][1]:
        word[0] ^= 0x8000
    await acc.load(broken, response=SLVERR, streamed=True)
    await acc.expect_errors("CHECKSUM")
    await acc.load(broken, checksum=broken.crc(), streamed=True)
    await acc.enable()
    for model in range(len(SEQUENCES)):
        acc.reset_state(model)
    acc.start(*jobs)
    await must_differ(acc.check(jobs), "expected")


@cocotb.test(timeout_time=4, timeout_unit="ms")
async def flaws_are_seen(dut):
    """Each comparison with what it has to find."""
    acc = await running(dut)
    job, other = SEQUENCES[DENSE][0], SEQUENCES[STREAM][0]
    bits = 8 * len(job.outputs[0])
    # One bit of the expected output: the first, one in the padding, the last.
    for bit in (0, 16 * REPORT["models"][DENSE]["outputs"][0]["shape"][0], bits - 1):
        acc.start(job)
        await must_differ(acc.check([flawed(job, bit)]), f"value {bit // 16} is")
    # One model in the place of the other.
    acc.select.send_nowait(other.model.to_bytes(2, "little"))
    acc.input.send_nowait(job.input)
    await must_differ(acc.check([job]), "expected")
    # One bit of the input.
    acc.select.send_nowait(job.model.to_bytes(2, "little"))
    acc.input.send_nowait(bytes([*job.input[:1], job.input[1] ^ 0x80, *job.input[2:]]))
    await must_differ(acc.check([job]), "expected")
    # A beat too few; then the accelerator waits, and a reset ends it.
    acc.select.send_nowait(job.model.to_bytes(2, "little"))
    acc.input.send_nowait(job.input[: -acc.beat_bytes])
    await must_differ(acc.check([job]), "no output frame")
    await acc.soft_reset()
    await acc.enable()
    # An output too many.
    acc.start(job)
    await must_differ(acc.quiet(), "too many")
    # An output beat that changes before it is taken, or goes away without a reset.
    first, second = (1, 0xFF, 1), (2, 0xFF, 1)
    for cycles in ([first, second], [first, None, first], [first, *[None] * 5]):
        held = Held()
        try:
            for beat in cycles:
                held.cycle(beat, ready=False, reset=False)
        except Mismatch:
            continue
        raise AssertionError(f"not seen: {cycles}")
    # `tkeep` and the place of `tlast`.
    frame = await acc.frame()
    compare("as it is", frame, job.outputs[0])
    for flaw in ("tkeep", "tlast"):
        broken = copy.copy(frame)
        broken.tkeep = [*frame.tkeep[:-1], 0] if flaw == "tkeep" else frame.tkeep
        broken.tdata = frame.tdata[: -acc.beat_bytes] if flaw == "tlast" else frame.tdata
        try:
            compare("flawed", broken, job.outputs[0])
        except Mismatch as mismatch:
            assert flaw in str(mismatch)
        else:
            raise AssertionError(f"{flaw} was not looked at")
