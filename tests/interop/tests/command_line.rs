//! The command line: what is checked, what is told, and with which exit code.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::net::{TcpListener, UdpSocket};
use std::process::{Command, Output};

use tandem_interop::{Scratch, address, binary, free_port};

fn run(arguments: &[&str]) -> Output {
    Command::new(binary()).args(arguments).env_remove("TANDEM_LOG").output().unwrap()
}

fn check(text: &str) -> (Option<i32>, String) {
    let scratch = Scratch::new("check");
    let file = scratch.write("tandem.toml", text);
    let output = run(&["check", "--config", file.to_str().unwrap()]);
    let said = [output.stdout, output.stderr].concat();
    (output.status.code(), String::from_utf8(said).unwrap())
}

#[test]
fn a_good_configuration_is_shown() {
    let (code, said) = check("[sip]\nlisten = [\"udp:127.0.0.1:5099\"]\n[rooms]\nad_hoc = [\"4000-4099\"]\n");
    assert_eq!(code, Some(0), "{said}");
    for part in ["127.0.0.1:5099", "4000-4099"] {
        assert!(said.contains(part), "{part} is missing in: {said}");
    }
}

#[test]
fn the_configuration_within_is_good() {
    let output = run(&["check"]);
    assert_eq!(output.status.code(), Some(0));
    assert!(String::from_utf8(output.stdout).unwrap().contains("1000-1999"));
}

#[test]
fn a_wrong_configuration_is_told_by_file_line_column_and_key() {
    let cases = [
        ("[sip]\nlistn = []\n", "tandem.toml:2:1", "listn"),
        ("[media]\n\nports = \"9-5\"\n", "tandem.toml:3:", "ports"),
        ("[sip]\nlisten = [\"udp:127.0.0.1:5060\", \"ufo:127.0.0.1:5060\"]\n", "tandem.toml:2:33", "listen"),
        ("[media]\naddress = \"nowhere\"\n", "tandem.toml:2:", "address"),
        ("[sip\n", "tandem.toml:1:", ""),
        ("[nonsense]\n", "tandem.toml:1:", "nonsense"),
    ];
    for (text, place, key) in cases {
        let (code, said) = check(text);
        assert_eq!(code, Some(64), "{text}: {said}");
        assert!(said.contains(place), "{place} is missing in: {said}");
        assert!(said.contains(key), "{key} is missing in: {said}");
        assert!(said.contains("help:"), "no hint in: {said}");
    }
}

#[test]
fn a_server_does_not_start_on_a_wrong_configuration() {
    let scratch = Scratch::new("wrong");
    let file = scratch.write("tandem.toml", "[sip]\nlistn = []\n");
    let output = run(&["serve", "--config", file.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("tandem.toml:2:1"));
}

#[test]
fn a_missing_file_is_named() {
    let output = run(&["check", "--config", "/nowhere/tandem.toml"]);
    assert_eq!(output.status.code(), Some(64));
    assert!(String::from_utf8(output.stderr).unwrap().contains("/nowhere/tandem.toml"));
}

#[test]
fn a_wrong_command_line_is_a_usage_error() {
    for arguments in [&["serv"] as &[&str], &["serve", "--confg", "x"], &["check", "x"]] {
        assert_eq!(run(arguments).status.code(), Some(64), "{arguments:?}");
    }
    for arguments in [&["--help"] as &[&str], &["--version"], &["serve", "--help"]] {
        assert_eq!(run(arguments).status.code(), Some(0), "{arguments:?}");
    }
}

#[test]
fn an_address_in_use_is_named() {
    let ip = address();
    let port = free_port(ip);
    let _udp = UdpSocket::bind((ip, port)).unwrap();
    let _tcp = TcpListener::bind((ip, port)).unwrap();
    for protocol in ["udp", "tcp"] {
        let scratch = Scratch::new("in-use");
        let text = format!("[sip]\nlisten = [\"{protocol}:{ip}:{port}\"]\n[media]\naddress = \"{ip}\"\n");
        let file = scratch.write("tandem.toml", text);
        let output = run(&["serve", "--config", file.to_str().unwrap()]);
        let said = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
        assert_eq!(output.status.code(), Some(69), "{said}");
        assert!(said.contains(&format!("{ip}:{port}")), "the address is missing in: {said}");
    }
}
