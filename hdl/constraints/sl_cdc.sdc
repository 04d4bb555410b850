# Timing of the clock crossings, in plain SDC. Read it after the clocks of both sides have been defined; it names cells only.
#
# All crossings are in sl_cdc_sync, sl_cdc_handshake, sl_cdc_fifo and sl_reset_sync. A level goes into meta_q; data of a handshake and of
# the FIFO stands still for at least two cycles of the receiving clock before it is read. Where a tool can bound the way of data alone
# (set_max_delay with a datapath-only option, or set_data_delay), one period of the receiving clock is the bound for cdc_data_q, cdc_mem
# and the Gray pointers; plain SDC has no such word, so they are false paths here.

set_false_path -to [get_cells -hierarchical {*meta_q*}]
set_false_path -from [get_cells -hierarchical {*cdc_data_q*}]
set_false_path -from [get_cells -hierarchical {*cdc_mem*}]
