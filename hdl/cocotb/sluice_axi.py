"""The accelerator as cocotb sees it: an AXI4-Lite master for registers and loading, AXI4-Stream sources and a sink for jobs, a source for the
load stream where there is one.

| what          | how |
|---------------|-----|
| registers     | offsets and masks of the generated C header, by name |
| load image    | 32-bit words, little-endian, as `sluice load-image` writes them |
| streams       | bytes: a lane is two bytes, lane 0 first, a beat is a block |

**Contract.** `Accelerator.read` and `write` check the response of every access. Sources and sink take `stream_reset` as their reset, and
what was queued for them or came in is dropped with it.
**Errors.** `Mismatch` for whatever the accelerator should not have done.
"""

import itertools
import os
import pathlib
import random
import re
import struct
import zlib

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import ClockCycles, RisingEdge, SimTimeoutError, with_timeout
from cocotbext.axi import AxiLiteBus, AxiLiteMaster, AxiResp, AxiStreamBus, AxiStreamSink, AxiStreamSource

SELECT_RESET = 0x8000
POLLS = 2000
# Of the longest wait for a frame, compute cycles.
PATIENCE = 20_000


class Mismatch(AssertionError):
    """What the accelerator did is not what it should."""


def registers(header):
    """Name to value of every definition of the C header."""
    found = re.findall(r"#define SLUICE_(\w+) (\w+?)u\n", pathlib.Path(header).read_text())
    return {name: int(value, 0) for name, value in found}


REG = registers(os.environ["SLUICE_REGISTERS"])


class LoadImage:
    """A program as bus words: header and runs of (load address, load words)."""

    HEADER = struct.Struct("<7I")

    def __init__(self, data, block_size):
        magic, version, low, high, self.checksum, count, crc = self.HEADER.unpack_from(data)
        body = data[self.HEADER.size :]
        if (magic, version) != (REG["IMAGE_MAGIC"], REG["IMAGE_VERSION"]):
            raise ValueError(f"no load image of version {REG['IMAGE_VERSION']}")
        if len(body) != 4 * count or zlib.crc32(body) != crc:
            raise ValueError("a damaged load image")
        self.config_hash = (low, high)
        self.block_size = block_size
        self.runs = []
        words = struct.unpack(f"<{count}I", body)
        at = 0
        while at < count:
            address, number, width = words[at : at + 3]
            at += 3
            self.runs.append((address, [list(words[at + i * width : at + (i + 1) * width]) for i in range(number)]))
            at += number * width

    def words(self):
        return sum(len(word) for _, run in self.runs for word in run)

    def crc(self):
        """The checksum as the documentation defines it: of every load word its window words, then its address."""
        crc = 0
        for address, run in self.runs:
            for word in run:
                crc = zlib.crc32(struct.pack(f"<{len(word) + 1}I", *word, address), crc)
                address = self.following(address)
        return crc

    def packets(self, beat_bytes):
        """For the load stream, a packet a run: the load address, then each load word, both filled up to whole beats."""
        for address, run in self.runs:
            parts = [struct.pack("<I", address), *(struct.pack(f"<{len(word)}I", *word) for word in run)]
            yield b"".join(part + bytes(-len(part) % beat_bytes) for part in parts)

    def following(self, address):
        """Rows of a weight block first, then addresses."""
        space, row = address >> REG["LOAD_ADDRESS_SPACE_LSB"], (address & REG["LOAD_ADDRESS_ROW"]) >> REG["LOAD_ADDRESS_ROW_LSB"]
        if space == REG["SPACE_WEIGHTS"] and row + 1 < self.block_size:
            return address + (1 << REG["LOAD_ADDRESS_ROW_LSB"])
        return (address & ~REG["LOAD_ADDRESS_ROW"]) + 1


def stalls(seed, share):
    """Pauses in bursts of up to six cycles; `share` of the time, about."""
    source = random.Random(seed)
    while True:
        paused = source.random() < share
        yield from itertools.repeat(paused, source.randint(1, 6))


class Held:
    """A beat that is offered stays as it is until it is taken; only a reset withdraws it, which `stream_reset` shows some cycles later."""

    SHUT = 4

    def __init__(self):
        self.offered, self.gone = None, 0

    def cycle(self, beat, ready, reset):
        """What the pins say in a cycle; `beat` is None without tvalid."""
        if reset:
            self.offered, self.gone = None, 0
        elif self.offered is None or beat == self.offered and not self.gone:
            self.offered = None if ready else beat
        elif beat is None and self.gone < self.SHUT:
            self.gone += 1
        else:
            raise Mismatch(f"an output beat that was not taken changed from {self.offered} to {beat}")


class Accelerator:
    """Clocks, reset, masters and slaves around one `sl_ip_top`."""

    def __init__(self, dut, compute_ps):
        self.dut = dut
        self.compute_ps = compute_ps
        self.bus = AxiLiteMaster(AxiLiteBus.from_prefix(dut, "config"), dut.config_clock, dut.config_reset)
        stream = {"clock": dut.compute_clock, "reset": dut.stream_reset}
        self.select = AxiStreamSource(AxiStreamBus.from_prefix(dut, "model_select"), **stream)
        self.input = AxiStreamSource(AxiStreamBus.from_prefix(dut, "input"), **stream)
        self.output = AxiStreamSink(AxiStreamBus.from_prefix(dut, "output"), **stream)
        self.beat_bytes = len(dut.input_tdata) // 8
        self.loads = None
        if hasattr(dut, "config_load_tvalid"):
            self.loads = AxiStreamSource(AxiStreamBus.from_prefix(dut, "config_load"), dut.config_clock, dut.config_reset)
        cocotb.start_soon(self.watch_output())
        cocotb.start_soon(self.watch_reset())

    @classmethod
    async def create(cls, dut, config_ps, compute_ps):
        """Starts the clocks; masters and slaves come to life in reset, whatever the pins said before."""
        cocotb.start_soon(Clock(dut.config_clock, config_ps, "ps").start())
        cocotb.start_soon(Clock(dut.compute_clock, compute_ps, "ps").start())
        dut.compute_reset.value = 0
        dut.config_reset.value = 1
        await ClockCycles(dut.compute_clock, 4)
        await ClockCycles(dut.config_clock, 4)
        accelerator = cls(dut, compute_ps)
        await ClockCycles(dut.config_clock, 1)
        dut.config_reset.value = 0
        await ClockCycles(dut.config_clock, 2)
        return accelerator

    def pause(self, share, seed=1):
        """Random pauses on every channel of the bus and on every stream; none for a share of 0."""
        write, read = self.bus.write_if, self.bus.read_if
        bus = [write.aw_channel, write.w_channel, write.b_channel, read.ar_channel, read.r_channel]
        for number, channel in enumerate(filter(None, [*bus, self.select, self.input, self.output, self.loads])):
            channel.set_pause_generator(stalls((seed << 8) + number, share) if share else None)
            channel.pause = False

    async def watch_output(self):
        dut, held = self.dut, Held()
        while True:
            await RisingEdge(dut.compute_clock)
            beat = None
            if dut.output_tvalid.value:
                beat = (int(dut.output_tdata.value), int(dut.output_tkeep.value), int(dut.output_tlast.value))
            held.cycle(beat, bool(dut.output_tready.value), bool(dut.stream_reset.value))

    async def watch_reset(self):
        """What feeds the streams starts over with the compute side: nothing queued before goes in after."""
        while True:
            await RisingEdge(self.dut.stream_reset)
            for stream in (self.select, self.input, self.output):
                stream.clear()

    # Registers.

    async def access(self, write, address, data=b"\0\0\0\0"):
        """One access; its response and what was read."""
        if write:
            answer = await self.bus.write(address, data)
            return answer.resp, None
        answer = await self.bus.read(address, len(data))
        return answer.resp, int.from_bytes(answer.data, "little")

    async def read(self, name, index=0):
        address = REG[name] + 4 * index
        response, value = await self.access(False, address)
        if response != AxiResp.OKAY:
            raise Mismatch(f"read of {name} ({address:#x}): {response.name}")
        return value

    async def write(self, name, value, response=AxiResp.OKAY):
        found, _ = await self.access(True, REG[name], struct.pack("<I", value))
        if found != response:
            raise Mismatch(f"write of {value:#x} to {name}: {found.name}, expected {response.name}")

    async def field(self, name, field):
        mask = REG[f"{name}_{field}"]
        return (await self.read(name) & mask) // (mask & -mask)

    async def until(self, **bits):
        """Polls `status` until its bits are as given."""
        for _ in range(POLLS):
            status = await self.read("STATUS")
            if all(bool(status & REG[f"STATUS_{name.upper()}"]) == value for name, value in bits.items()):
                return status
        raise Mismatch(f"status stays {status:#x}, waiting for {bits}")

    async def expect(self, name, value, index=0):
        found = await self.read(name, index)
        if found != value:
            raise Mismatch(f"{name}[{index}] is {found:#x}, expected {value:#x}")

    async def expect_errors(self, *names):
        """Exactly these bits of `error`; clears them."""
        await self.expect("ERROR", sum(REG[f"ERROR_{name}"] for name in names))
        await self.write("ERROR", 0xFFFFFFFF)
        await self.expect("ERROR", 0)

    # Sequences of the documentation.

    async def load(self, image, checksum=None, response=AxiResp.OKAY, *, streamed=False):
        """Through the load window or the load stream."""
        await self.write("CONTROL", REG["CONTROL_SOFT_RESET"])
        await self.until(idle=True, settling=False)
        await self.write("ERROR", 0xFFFFFFFF)
        await self.write("CONTROL", REG["CONTROL_LOAD"])
        await self.until(loading=True, program_ok=False)
        if streamed:
            for packet in image.packets(len(self.dut.config_load_tdata) // 8):
                await self.loads.send(packet)
            await self.loads.wait()
            # What was sent last may still be in the accelerator's FIFO.
            await ClockCycles(self.dut.config_clock, 16)
        for address, run in [] if streamed else image.runs:
            await self.write("LOAD_ADDRESS", address)
            for word in run:
                answer = await self.bus.write(REG["LOAD_WINDOW"], struct.pack(f"<{len(word)}I", *word))
                if answer.resp != AxiResp.OKAY:
                    raise Mismatch(f"load window, after load address {address:#x}: {answer.resp.name}")
        await self.expect("LOAD_COUNT", image.words())
        await self.write("PROGRAM_CHECKSUM", image.checksum if checksum is None else checksum, response)
        await self.until(loading=False, program_ok=response == AxiResp.OKAY)

    async def enable(self):
        await self.write("CONTROL", REG["CONTROL_ENABLE"])
        await self.until(enabled=True, settling=False)

    async def soft_reset(self):
        await self.write("CONTROL", REG["CONTROL_SOFT_RESET"])
        await self.until(idle=True, settling=False)

    # Streams.

    def start(self, *jobs):
        """Queues the select beats and the input beats of jobs; in which order they arrive is up to the pauses."""
        for job in jobs:
            self.select.send_nowait(struct.pack("<H", job.model))
            self.input.send_nowait(job.input)

    def reset_state(self, model):
        self.select.send_nowait(struct.pack("<H", model | SELECT_RESET))

    async def frame(self):
        try:
            return await with_timeout(self.output.recv(compact=False), PATIENCE * self.compute_ps, "ps")
        except SimTimeoutError:
            raise Mismatch(f"no output frame within {PATIENCE} cycles") from None

    async def check(self, jobs):
        """Takes the output frames of these jobs, one per tensor, and compares every bit."""
        for number, job in enumerate(jobs):
            for tensor, expected in enumerate(job.outputs):
                compare(f"job {number} (model {job.model}), tensor {tensor}", await self.frame(), expected)

    async def quiet(self):
        """Nothing is left: no beat to send, none that came, no job."""
        for _ in range(POLLS):
            await ClockCycles(self.dut.compute_clock, 8)
            if self.input.idle() and self.select.idle() and not self.dut.busy.value:
                break
        else:
            raise Mismatch("beats are left that nobody takes, or a job that does not end")
        if not self.output.empty():
            raise Mismatch(f"{self.output.count()} output frames too many")


def compare(where, frame, expected):
    """A frame against the bytes it should hold: data, `tkeep` all ones, `tlast` with its last beat."""
    if len(frame.tdata) != len(expected):
        raise Mismatch(f"{where}: {len(frame.tdata)} bytes up to tlast, expected {len(expected)}")
    for at in range(0, len(expected), 2):
        found, want = (bytes(data[at : at + 2])[::-1].hex() for data in (frame.tdata, expected))
        if found != want:
            raise Mismatch(f"{where}: value {at // 2} is {found}, expected {want}")
    if not all(frame.tkeep):
        raise Mismatch(f"{where}: tkeep is {frame.tkeep}, expected all ones")
