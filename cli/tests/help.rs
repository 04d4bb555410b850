//! Golden help texts: what a user reads first.

mod common;

use common::Scratch;

#[test]
fn help_of_every_command() {
    let s = Scratch::new("help");
    for command in [
        "",
        "compile",
        "run",
        "metrics",
        "schedule",
        "rtl",
        "load-image",
        "cosim",
        "config",
        "example",
        "doctor",
    ] {
        let name = if command.is_empty() {
            "sluice"
        } else {
            command
        };
        insta::assert_snapshot!(format!("help_{name}"), s.ok(&format!("{command} --help")));
    }
}

#[test]
fn every_command_is_described_once() {
    let s = Scratch::new("help_every");
    let all = s.ok("--help");
    for command in [
        "compile",
        "run",
        "metrics",
        "schedule",
        "rtl",
        "load-image",
        "cosim",
        "config",
        "example",
        "doctor",
    ] {
        assert_eq!(
            all.lines()
                .filter(|l| l.trim_start().starts_with(&format!("{command} ")))
                .count(),
            1,
            "{all}"
        );
        assert!(
            s.ok(&format!("{command} --help")).contains("Examples:"),
            "{command}"
        );
    }
}
