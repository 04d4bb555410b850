//! `hdl/rtl/control/` and `hdl/rtl/stream/` against the plain models of `sluice-control`, cycle by cycle, and the emitted state machine
//! against its native form.

mod support;

use sluice_control::model::{
    Dispatcher, Fifo, Inputs, LaneWrite, Load, Mutation, OutCommand, OutputBeat, OutputUnit,
    Outputs, Tick,
};
use sluice_control::native::{FsmBench, FsmInputs, FsmOutputs};
use sluice_control::stimulus::{ControlProgram, Pattern, Random, Traffic};
use sluice_isa::config::HardwareConfig;
use sluice_isa::load::Space;
use support::{Bench, build};
use verilator_sys::{Library, tools_or_skip};

// --- the state machine, native against Verilated ---

fn fsm_outputs(bench: &Bench) -> FsmOutputs {
    let mut names = FsmOutputs::PORTS.iter();
    FsmOutputs::from_values(|| bench.get32(names.next().unwrap().0))
}

/// First cycle in which an output differs; `flip` turns one input over on one side.
fn fsm_lock_step(library: &Library, seed: u64, cycles: u32, flip: Option<&str>) -> Option<u32> {
    let mut random = Random::new(seed);
    let mut rtl = Bench::new(library, "clock", u32::try_from(seed).unwrap());
    let mut native = FsmBench::default();
    for cycle in 0..cycles {
        let mut inputs = FsmInputs::from_values(|| random.word());
        // Mostly alive, with numbers small enough to meet each other.
        inputs.reset_n = u32::from(cycle > 1 && !(random.chance(1) && random.chance(30)));
        inputs.enable |= u32::from(random.chance(90));
        inputs.credit_full = 9;
        for field in [
            &mut inputs.rec_n_in,
            &mut inputs.rec_n_out,
            &mut inputs.head_index,
        ] {
            if random.chance(95) {
                *field %= 5;
            }
        }
        if random.chance(20) {
            inputs.head_index |= u32::from(sluice_isa::SELECT_RESET);
        }
        inputs.num_models = 4;
        // Beats leave slowly: credit must matter.
        inputs.output_pop = u32::from(random.chance(10));
        for (name, width) in FsmInputs::PORTS {
            let k = FsmInputs::PORTS.iter().position(|p| p.0 == *name).unwrap();
            let mut value = inputs.values()[k];
            if flip == Some(*name) && cycle > 100 {
                value ^= 1;
            }
            assert!(*width == 32 || value >> width == 0);
            rtl.set(name, value.into());
        }
        rtl.settle();
        let (expected, actual) = (native.eval(&inputs), fsm_outputs(&rtl));
        // Before the first reset edge registers are random on one side.
        if cycle > 1 && expected != actual {
            assert!(
                flip.is_some(),
                "seed {seed}, cycle {cycle}: {inputs:?}\n native {expected:?}\nverilog {actual:?}"
            );
            return Some(cycle);
        }
        native.clock();
        rtl.clock();
    }
    None
}

#[test]
fn emitted_state_machine_is_the_native_one() {
    if !tools_or_skip("emitted_state_machine_is_the_native_one") {
        return;
    }
    let library = build(
        "dispatch_fsm",
        "sl_dispatch_fsm",
        &["control/sl_dispatch_fsm.v"],
        &[],
    );
    for seed in 1..=5 {
        assert_eq!(fsm_lock_step(&library, seed, 20_000, None), None);
    }
    for (name, _) in FsmInputs::PORTS {
        assert!(
            fsm_lock_step(&library, 1, 3_000, Some(name)).is_some(),
            "a flipped {name} went unnoticed"
        );
    }
}

// --- the dispatcher against the model ---

const DISPATCHER: &[&str] = &[
    "sl_pkg.sv",
    "common/sl_ram_1r1w.sv",
    "common/sl_ram_async.sv",
    "stream/sl_fifo.sv",
    "control/sl_dispatch_fsm.v",
    "control/sl_dispatcher.sv",
];

fn small_config() -> HardwareConfig {
    let mut c = HardwareConfig::new("small", 2, 8);
    c.tensor_ram_depth = 16;
    c.instr_store_depth = 100;
    c.max_models = 8;
    c.select_fifo_depth = 4;
    c.output_fifo_depth = 8;
    c
}

fn dispatcher_library(c: &HardwareConfig) -> Library {
    build(
        "dispatcher",
        "sl_dispatcher",
        DISPATCHER,
        &[
            ("NumCores", c.num_cores),
            ("BlockSize", c.block_size),
            ("TensorDepth", c.tensor_ram_depth),
            ("InstrDepth", c.instr_store_depth),
            ("MaxModels", c.max_models),
            ("SelectFifoDepth", c.select_fifo_depth),
            ("OutputFifoDepth", c.output_fifo_depth),
            ("ExchangeStages", c.exchange_stages),
        ],
    )
}

fn drive(rtl: &mut Bench, i: &Inputs) {
    rtl.set("rst_ni", i.reset_n.into());
    rtl.set("enable_i", i.enable.into());
    rtl.set("select_valid_i", i.select.is_some().into());
    rtl.set("select_data_i", i.select.unwrap_or(0).into());
    rtl.set("input_valid_i", i.input_valid.into());
    rtl.set("output_pop_i", i.output_pop.into());
    rtl.set("load_valid_i", i.load.is_some().into());
    let load = i.load.unwrap_or(Load {
        space: Space::Weights,
        addr: 0,
        data: 0,
    });
    rtl.set("load_space_i", load.space as u64);
    rtl.set("load_addr_i", load.addr.into());
    rtl.set_wide("load_data_i", &[load.data], 128);
    rtl.settle();
}

fn observe(rtl: &Bench) -> Outputs {
    Outputs {
        select_ready: rtl.bit("select_ready_o"),
        input_ready: rtl.bit("input_ready_o"),
        in_lane: rtl
            .bit("in_lane_valid_o")
            .then(|| rtl.get32("in_lane_addr_o")),
        tick: rtl.bit("trace_valid_o").then(|| Tick {
            pc: rtl.get32("trace_pc_o"),
            parity: rtl.bit("trace_parity_o"),
            model: rtl.get32("trace_model_o"),
        }),
        out_command: rtl.bit("out_cmd_valid_o").then(|| OutCommand {
            last: rtl.bit("out_cmd_last_o"),
            bank: rtl.get32("out_cmd_bank_o"),
            addr: rtl.get32("out_cmd_addr_o"),
            lanes: rtl.get32("out_cmd_lanes_o"),
        }),
        busy: rtl.bit("busy_o"),
        load_ok: rtl.bit("load_ok_o"),
        load_error: rtl.bit("load_error_o"),
        jobs_done: rtl.get32("jobs_done_o"),
        bad_select_count: rtl.get32("bad_select_count_o"),
        last_bad_select: u16::try_from(rtl.get("last_bad_select_o")).unwrap(),
        bad_select_pulse: rtl.bit("bad_select_pulse_o"),
    }
}

/// The tick as the cores see it: the address of the cycle before, confirmed.
fn tick_at_cores(rtl: &Bench, pc_before: u32) -> Option<(u32, bool)> {
    rtl.bit("tick_valid_o")
        .then(|| (pc_before, rtl.bit("tick_parity_o")))
}

/// Jobs done, or the first difference.
fn dispatcher_lock_step(
    library: &Library,
    config: &HardwareConfig,
    seed: u64,
    pattern: Pattern,
    cycles: u32,
    mutation: Option<Mutation>,
) -> Result<u32, String> {
    let mut random = Random::new(seed);
    let program = ControlProgram::random(config, &mut random);
    let mut expected = Dispatcher::new(config);
    if let Some(m) = mutation {
        expected = expected.mutated(m);
    }
    let mut rtl = Bench::new(library, "clk_i", u32::try_from(seed).unwrap());
    // What the cores should see in this cycle and the next ones, and the address they saw before.
    let mut on_the_way = vec![None; config.exchange_stages as usize];
    let mut pc_before = 0;
    let mut step = |rtl: &mut Bench, expected: &mut Dispatcher, i: &Inputs, what: &str| {
        drive(rtl, i);
        let (e, a) = (expected.step(i), observe(rtl));
        on_the_way.push(e.tick.map(|t| (t.pc, t.parity)));
        on_the_way.remove(0);
        let cores = tick_at_cores(rtl, pc_before);
        if i.reset_n && cores != on_the_way[0] {
            return Err(format!(
                "seed {seed}, {pattern:?}, {what}: tick {:?}, cores see {cores:?}",
                on_the_way[0]
            ));
        }
        if !i.reset_n {
            on_the_way.fill(None);
        }
        pc_before = rtl.get32("tick_pc_o");
        rtl.try_clock()
            .map_err(|error| format!("seed {seed}, {pattern:?}, {what}: {error}"))?;
        if i.reset_n && e != a {
            return Err(format!(
                "seed {seed}, {pattern:?}, {what}:\n{i:?}\nmodel {e:?}\n  rtl {a:?}"
            ));
        }
        Ok(a)
    };

    for _ in 0..3 {
        let reset = Inputs {
            reset_n: false,
            enable: false,
            ..Inputs::IDLE
        };
        step(&mut rtl, &mut expected, &reset, "reset")?;
    }
    for load in program.loads().unwrap() {
        let i = Inputs {
            enable: false,
            load: Some(load),
            ..Inputs::IDLE
        };
        step(&mut rtl, &mut expected, &i, "load")?;
    }

    let mut traffic = Traffic::new(seed, pattern, u32::try_from(program.models.len()).unwrap());
    let (mut jobs, mut last_jobs) = (0, 0);
    for cycle in 0..cycles {
        let mut i = traffic.next(true, seed % 2 == 1);
        // A write of what is there anyway: refused while enabled or busy, harmless when taken.
        if random.chance(1) {
            let loads = program.loads().unwrap();
            i.load = loads.get(random.range(0, 200) as usize).copied();
        }
        let a = step(&mut rtl, &mut expected, &i, &format!("cycle {cycle}"))?;
        traffic.observe(&i, &a);
        jobs += u32::from(a.jobs_done != last_jobs && i.reset_n);
        last_jobs = a.jobs_done;
    }
    Ok(jobs)
}

#[test]
fn dispatcher_follows_the_model() {
    if !tools_or_skip("dispatcher_follows_the_model") {
        return;
    }
    for exchange_stages in [1, 2] {
        let config = HardwareConfig {
            exchange_stages,
            ..small_config()
        };
        let library = dispatcher_library(&config);
        let mut jobs = 0;
        for seed in 1..=12 {
            for pattern in Pattern::ALL {
                jobs += dispatcher_lock_step(&library, &config, seed, pattern, 4_000, None)
                    .unwrap_or_else(|e| panic!("{e}"));
            }
        }
        println!("{jobs} jobs in 192,000 cycles");
        assert!(jobs > 10_000, "the traffic must do something: {jobs} jobs");

        for mutation in Mutation::ALL {
            let noticed = (1..=12).any(|seed| {
                Pattern::ALL.iter().any(|&p| {
                    dispatcher_lock_step(&library, &config, seed, p, 1_500, Some(mutation)).is_err()
                })
            });
            assert!(noticed, "{mutation:?} went unnoticed");
        }
    }
}

/// docs/machine.md section 6: select accepted in s, looked up in s+1, input ready in s+2, first tick issued in s+3; a select that
/// is two cycles early costs nothing; back-to-back jobs leave no gap.
#[test]
fn dispatcher_latency_by_hand() {
    if !tools_or_skip("dispatcher_latency_by_hand") {
        return;
    }
    let config = small_config();
    let mut rtl = Bench::new(&dispatcher_library(&config), "clk_i", 7);
    let control = |last, beat, out_valid| sluice_isa::words::ControlWord {
        last,
        beat,
        out_valid,
        out_bank: 2,
        out_addr: 3,
        out_lanes: 8,
        out_last: true,
    };
    let program = ControlProgram {
        control: vec![control(false, true, false), control(true, false, true)],
        models: vec![sluice_isa::words::ModelRecord {
            entry_pc: 0,
            init_pc: 0,
            has_init: false,
            n_in: 1,
            n_out: 1,
            resettable: false,
        }],
    };
    drive(
        &mut rtl,
        &Inputs {
            reset_n: false,
            enable: false,
            ..Inputs::IDLE
        },
    );
    rtl.clock();
    for load in program.loads().unwrap() {
        drive(
            &mut rtl,
            &Inputs {
                enable: false,
                load: Some(load),
                ..Inputs::IDLE
            },
        );
        rtl.clock();
    }
    let mut events = Vec::new();
    for cycle in 0..14 {
        // Three selects from cycle 0 on, input always offered.
        let i = Inputs {
            select: (cycle < 3).then_some(0),
            input_valid: true,
            ..Inputs::IDLE
        };
        drive(&mut rtl, &i);
        let o = observe(&rtl);
        let mut note = |what: &str, on: bool| {
            if on {
                events.push(format!("{cycle} {what}"));
            }
        };
        note("input", o.input_ready);
        note("tick", o.tick.is_some());
        note("command", o.out_command.is_some());
        rtl.clock();
    }
    // tau = 3 for the first tick, so its register shows it in 4; the output word issues in 4, c0 = 6.
    let expected = [
        "2 input",
        "3 input",
        "4 tick",
        "5 tick",
        "6 input",
        "6 tick",
        "6 command",
        "7 tick",
        "8 tick",
        "8 command",
        "9 tick",
        "10 command",
    ];
    assert_eq!(events, expected);
}

// --- FIFO and output unit ---

fn fifo_lock_step(
    library: &Library,
    depth: usize,
    seed: u64,
    cycles: u32,
    lie: bool,
) -> Option<u32> {
    let mut random = Random::new(seed);
    let mut rtl = Bench::new(library, "clk_i", u32::try_from(seed).unwrap());
    let mut expected = Fifo::new(if lie { depth - 1 } else { depth });
    let (mut push_rate, mut pop_rate) = (50, 50);
    for cycle in 0..cycles {
        if cycle % 300 == 0 {
            push_rate = [5, 50, 95, 100][random.range(0, 3) as usize];
            pop_rate = [5, 50, 95, 100][random.range(0, 3) as usize];
        }
        let reset_n = cycle > 1 && !(random.chance(1) && random.chance(10));
        let push = random.chance(push_rate).then(|| random.word());
        let pop = random.chance(pop_rate);
        rtl.set("rst_ni", reset_n.into());
        rtl.set("in_valid_i", push.is_some().into());
        rtl.set("in_data_i", push.unwrap_or(0).into());
        rtl.set("out_ready_i", pop.into());
        rtl.settle();
        if reset_n {
            let shown = rtl.bit("out_valid_o").then(|| rtl.get32("out_data_o"));
            if shown != expected.head().copied() || rtl.bit("in_ready_o") != expected.ready() {
                return Some(cycle);
            }
            expected.clock(push, pop);
        } else {
            expected.reset();
        }
        rtl.clock();
    }
    None
}

#[test]
fn fifo_follows_the_model() {
    if !tools_or_skip("fifo_follows_the_model") {
        return;
    }
    // LUT RAM and block RAM.
    for depth in [4, 64] {
        let sources = [
            "common/sl_ram_1r1w.sv",
            "common/sl_ram_async.sv",
            "stream/sl_fifo.sv",
        ];
        let params = [("Width", 32), ("Depth", depth)];
        let library = build(&format!("fifo_{depth}"), "sl_fifo", &sources, &params);
        for seed in 1..=4 {
            let difference = fifo_lock_step(&library, depth as usize, seed, 20_000, false);
            assert_eq!(difference, None, "depth {depth}, seed {seed}");
        }
        assert!(
            fifo_lock_step(&library, depth as usize, 1, 20_000, true).is_some(),
            "a FIFO of {depth} is not one of {}",
            depth - 1
        );
    }
}

const BANKS: usize = 3;
const LANES: usize = 8;
const DEPTH: u32 = 16;
const FIFO: usize = 64;

fn output_unit_library() -> Library {
    build(
        "output_unit",
        "sl_output_unit",
        &[
            "common/sl_ram_1r1w.sv",
            "common/sl_ram_async.sv",
            "common/sl_ram_mask.sv",
            "stream/sl_fifo.sv",
            "core/sl_bank_mirror.sv",
            "stream/sl_output_unit.sv",
        ],
        &[
            ("NumCores", 2),
            ("BlockSize", 8),
            ("TensorDepth", DEPTH),
            ("OutputFifoDepth", 64),
        ],
    )
}

fn drive_output(
    rtl: &mut Bench,
    reset_n: bool,
    command: Option<OutCommand>,
    lanes: &[Option<LaneWrite>],
    ready: bool,
) {
    let none = OutCommand {
        last: false,
        bank: 0,
        addr: 0,
        lanes: 0,
    };
    rtl.set("rst_ni", reset_n.into());
    rtl.set("cmd_valid_i", command.is_some().into());
    let c = command.unwrap_or(none);
    rtl.set("cmd_last_i", c.last.into());
    rtl.set("cmd_bank_i", c.bank.into());
    rtl.set("cmd_addr_i", c.addr.into());
    rtl.set("cmd_lanes_i", c.lanes.into());
    let write = |b: usize| {
        lanes[b].clone().unwrap_or(LaneWrite {
            addr: 0,
            mask: 0,
            data: vec![0; LANES],
        })
    };
    let each =
        |f: &dyn Fn(LaneWrite) -> u128| -> Vec<u128> { (0..BANKS).map(|b| f(write(b))).collect() };
    let valid: Vec<u128> = lanes.iter().map(|l| l.is_some().into()).collect();
    rtl.set_wide("lane_valid_i", &valid, 1);
    rtl.set_wide("lane_addr_i", &each(&|w| w.addr.into()), 12);
    rtl.set_wide("lane_mask_i", &each(&|w| w.mask.into()), LANES);
    let data: Vec<u128> = (0..BANKS)
        .flat_map(|b| write(b).data)
        .map(u128::from)
        .collect();
    rtl.set_wide("lane_data_i", &data, 16);
    rtl.set("output_ready_i", ready.into());
    rtl.settle();
}

fn output_lock_step(library: &Library, seed: u64, cycles: u32, lie: bool) -> Option<u32> {
    let mut random = Random::new(seed);
    let mut rtl = Bench::new(library, "clk_i", u32::try_from(seed).unwrap());
    let mut expected = OutputUnit::new(BANKS, LANES, DEPTH as usize, FIFO);
    let mut credit = FIFO;
    let mut ready_rate = 50;
    for cycle in 0..cycles {
        if cycle % 200 == 0 {
            ready_rate = [0, 5, 50, 95, 100][random.range(0, 4) as usize];
        }
        // First a reset in which every word of every bank is written, so that nothing random is compared.
        let filling = cycle < DEPTH;
        let reset_n = !filling;
        let lanes: Vec<Option<LaneWrite>> = (0..BANKS)
            .map(|_| {
                (filling || random.chance(60)).then(|| LaneWrite {
                    addr: if filling {
                        cycle
                    } else {
                        random.range(0, DEPTH - 1)
                    },
                    mask: if filling { 0xFF } else { random.bits() & 0xFF },
                    data: (0..LANES)
                        .map(|_| (random.word() & 0xFFFF) as u16)
                        .collect(),
                })
            })
            .collect();
        let command = (!filling && credit > 0 && random.chance(70)).then(|| OutCommand {
            last: random.chance(50),
            bank: random.range(0, 2),
            addr: random.range(0, DEPTH - 1),
            lanes: random.range(0, 8),
        });
        let ready = random.chance(ready_rate);
        drive_output(&mut rtl, reset_n, command, &lanes, ready);
        let told = command.map(|c| OutCommand {
            lanes: if lie { c.lanes | 1 } else { c.lanes },
            ..c
        });
        let shown = expected.step(reset_n, told, &lanes, ready);
        if reset_n {
            let actual = rtl.bit("output_valid_o").then(|| OutputBeat {
                last: rtl.bit("output_last_o"),
                data: rtl.lanes("output_data_o"),
            });
            if actual != shown {
                return Some(cycle);
            }
            credit =
                credit + usize::from(shown.is_some() && ready) - usize::from(command.is_some());
        }
        rtl.clock();
    }
    None
}

#[test]
fn output_unit_follows_the_model() {
    if !tools_or_skip("output_unit_follows_the_model") {
        return;
    }
    let library = output_unit_library();
    for seed in 1..=5 {
        assert_eq!(
            output_lock_step(&library, seed, 10_000, false),
            None,
            "seed {seed}"
        );
    }
    assert!(
        output_lock_step(&library, 1, 1_000, true).is_some(),
        "a lane too many went unnoticed"
    );
}

#[test]
fn a_beat_without_credit_is_an_assertion() {
    if !tools_or_skip("a_beat_without_credit_is_an_assertion") {
        return;
    }
    let mut rtl = Bench::new(&output_unit_library(), "clk_i", 3);
    let idle = vec![None; BANKS];
    drive_output(&mut rtl, false, None, &idle, false);
    rtl.clock();
    let command = Some(OutCommand {
        last: false,
        bank: 0,
        addr: 0,
        lanes: 8,
    });
    let mut sent = 0;
    let error = loop {
        drive_output(&mut rtl, true, command, &idle, false);
        match rtl.try_clock() {
            Ok(()) => sent += 1,
            Err(error) => break error,
        }
        assert!(sent < 2 * FIFO, "nobody noticed");
    };
    assert!(error.to_string().contains("CreditHolds_A"), "{error}");
    assert!(sent > FIFO, "the full FIFO is not yet an error: {sent}");
}
