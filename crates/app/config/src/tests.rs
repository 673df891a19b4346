use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::PathBuf;
use std::time::Duration;

use proptest::prelude::*;
use tandem_base::SrtpPolicy::{Off, Optional, Required};
use tandem_base::{Agc, ClockRate, Gain, LegSound, RoomAudio};

use super::*;

fn good(text: &str) -> Config {
    Config::parse("t.toml", text).unwrap()
}

fn problems(text: &str) -> Vec<Problem> {
    match Config::parse("t.toml", text).unwrap_err() {
        ConfigError::Wrong { problems, .. } => problems,
        other => panic!("{other}"),
    }
}

/// The only problem of a text.
fn problem(text: &str) -> Problem {
    let [problem] = problems(text).try_into().unwrap();
    problem
}

/// `[section] key = value` has one problem, whose words and help contain these.
fn refused(section: &str, line: &str, says: &str, helps: &str) {
    let problem = problem(&format!("[{section}]\n{line}\n"));
    assert_eq!(problem.line, 2, "{line}: {problem:?}");
    let (said, help) = (problem.wrong.to_string(), problem.wrong.help());
    assert!(said.contains(says), "{line}: {said}");
    assert!(help.contains(helps), "{line}: {help}");
}

#[test]
fn the_embedded_default_is_what_every_absent_key_is_worth() {
    let embedded = Config::embedded().unwrap();
    assert_eq!(embedded, good(""));
    assert_eq!(
        embedded.sip.listen.iter().map(Listener::to_string).collect::<Vec<_>>(),
        ["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]
    );
    assert_eq!((embedded.media.ports.pairs(), embedded.sip.max_calls), (5_000, 5_000));
    assert_eq!(embedded.media.timeouts.talk, Duration::from_secs(60));
    assert_eq!((embedded.rooms.srtp, embedded.services.srtp), (Optional, Optional));
}

#[test]
fn the_embedded_default_answers_to_the_promised_names() {
    let table = Config::embedded().unwrap().table();
    let open = |user| table.ad_hoc.iter().any(|pattern| pattern.matches(user));
    assert!(["1000", "1999", "room-7", "room-"].into_iter().all(open));
    assert!(!["999", "2000", "01000", "rooms", "ROOM-1"].into_iter().any(open));
}

#[test]
fn every_example_in_config_is_right() {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../config");
    let files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    assert!(files.len() >= 3, "{files:?}");
    for file in files {
        let config = Config::load(&file).unwrap_or_else(|error| panic!("{error}"));
        assert!(!config.sip.listen.is_empty(), "{file:?}");
    }
}

#[test]
fn the_commented_keys_of_the_default_are_right_too() {
    let open = |line: &str| {
        let key = line.strip_prefix("# ").filter(|rest| rest.contains(" = ") || rest.starts_with("[["));
        key.unwrap_or(line).to_owned()
    };
    let text: String = DEFAULT_TOML.lines().map(|line| open(line) + "\n").collect();
    let config = good(&text);
    assert_eq!(config.rooms.fixed.first().map(|room| room.name.as_str()), Some("board"));
    assert!(config.sip.advertise.is_some() && config.media.advertise.is_some());
}

#[test]
fn every_key_arrives() {
    let config = good(
        r#"
        [sip]
        listen = ["udp:127.0.0.1:5070", "tcp:[::1]:0"]
        advertise = "sip.example.com:5080"
        max_calls = 7
        dns = ["192.0.2.53", "[::1]:5353"]
        session_expires = "1h"
        min_session_expires = "120s"
        max_connections = 500
        max_connections_per_source = 50
        idle_timeout = "5m"
        write_timeout = "500ms"
        [media]
        address = "127.0.0.1"
        advertise = "192.0.2.1"
        ports = "30000-30100"
        workers = 3
        setup_timeout = "1500ms"
        talk_timeout = "2m"
        hold_timeout = "0"
        [http]
        listen = "[::1]:9090"
        [rooms]
        ad_hoc = ["x*"]
        max_participants = 9
        srtp = "required"
        loudest = 0
        [[room]]
        name = "a"
        comfort_noise = false
        rate = 16000
        gain_in = -6
        agc = true
        agc_target = -24
        noise_suppression = true
        [[room]]
        name = "b"
        max_participants = 2
        srtp = "optional"
        loudest = 6
        [services]
        srtp = "off"
        echo = "loop"
        tone = ""
        [log]
        level = "debug"
        format = "json"
        "#,
    );
    assert_eq!(config.sip.listen.len(), 2);
    assert_eq!(config.sip.advertise.as_ref().unwrap().to_string(), "sip.example.com:5080");
    assert_eq!(config.sip.max_calls, 7);
    assert_eq!(
        config.sip.dns.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["192.0.2.53:53", "[::1]:5353"]
    );
    assert_eq!(config.sip.session_expires, Duration::from_secs(3_600));
    assert_eq!(config.sip.min_session_expires, Duration::from_secs(120));
    let connections = Connections {
        max: 500,
        max_per_source: 50,
        idle_timeout: Duration::from_secs(300),
        write_timeout: Duration::from_millis(500),
    };
    assert_eq!(config.sip.connections, connections);
    assert_eq!(config.media.address, IpAddr::V4(Ipv4Addr::LOCALHOST));
    assert_eq!(config.media.advertise.unwrap().to_string(), "192.0.2.1");
    assert_eq!(
        (config.media.ports.first, config.media.ports.last, config.media.ports.pairs()),
        (30_000, 30_100, 50)
    );
    assert_eq!(config.media.workers.unwrap().get(), 3);
    let timeouts = config.media.timeouts;
    let expected = [1_500, 120_000, 0].map(Duration::from_millis);
    assert_eq!([timeouts.setup, timeouts.talk, timeouts.hold], expected);
    assert_eq!(config.http.listen.port(), 9090);
    let limits =
        config.rooms.fixed.iter().map(|room| (room.name.as_str(), room.max_participants.unwrap().get()));
    assert_eq!(limits.collect::<Vec<_>>(), [("a", 9), ("b", 2)]);
    let srtp: Vec<_> = config.rooms.fixed.iter().map(|room| room.srtp).collect();
    assert_eq!((config.rooms.srtp, srtp), (Required, vec![Required, Optional]));
    let audio = |loudest, comfort_noise| RoomAudio { loudest, comfort_noise, ..RoomAudio::default() };
    let treated = RoomAudio {
        rate: Some(ClockRate::HZ_16000),
        sound: LegSound {
            gain_in: Gain::new(-6).unwrap(),
            agc: Some(Agc { target_dbfs: -24, max_gain_db: 12 }),
            noise_suppression: true,
            ..LegSound::default()
        },
        ..audio(0, false)
    };
    let of_rooms: Vec<_> = config.rooms.fixed.iter().map(|room| room.audio).collect();
    assert_eq!((config.rooms.audio, of_rooms), (audio(0, true), vec![treated, audio(6, true)]));
    assert_eq!(config.services, Services { echo: Some("loop".to_owned()), tone: None, srtp: Off });
    assert_eq!(config.log, Log { level: LogLevel::Debug, format: LogFormat::Json });
}

#[test]
fn everything_wrong_is_told_at_once_in_order_with_its_place() {
    let text = "[sip]\nlisten = [\"udp:0.0.0.0:5060\", \"sctp:0.0.0.0:5060\"]\nmax_cals = 5\n\n\
                [media]\nports = \"20001-20009\"\ntalk_timeout = 30\n[medai]\n[[room]]\nname = \"a\"\n[[room]]\n";
    let told: Vec<_> = problems(text).into_iter().map(|p| (p.line, p.column, p.key)).collect();
    let expected = [
        (2, 31, "sip.listen[1]"),
        (3, 1, "sip.max_cals"),
        (6, 9, "media.ports"),
        (7, 16, "media.talk_timeout"),
        (8, 2, "medai"),
        (11, 1, "room[1].name"),
    ];
    assert_eq!(told, expected.map(|(line, column, key)| (line, column, key.to_owned())));
}

#[test]
fn an_error_reads_well() {
    let error = Config::parse("tandem.toml", "[media]\nport = \"1-2\"\n").unwrap_err();
    let expected = "tandem.toml:2:1: media.port: unknown key\n  help: did you mean ports? Known here: \
                    address, advertise, ports, workers, setup_timeout, talk_timeout, hold_timeout";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn broken_toml_is_told_with_its_place() {
    let problem = problem("[sip]\nlisten = [\"udp:0.0.0.0:5060\"\n");
    assert!(matches!(problem.wrong, Wrong::Syntax { .. }), "{problem:?}");
    assert_eq!(problem.line, 2);
}

#[test]
fn what_follows_from_broken_toml_is_not_told() {
    let found = problems("[sip\nlisten = []\nfoo = 1\n");
    assert!(found.iter().all(|p| matches!(p.wrong, Wrong::Syntax { .. })), "{found:?}");
}

#[test]
fn bytes_that_are_no_text_are_told_with_their_place() {
    let file = std::env::temp_dir().join(format!("tandem-config-{}.toml", std::process::id()));
    fs::write(&file, b"[log]\nlevel = \"\xff\"\n").unwrap();
    let error = Config::load(&file).unwrap_err();
    fs::remove_file(&file).unwrap();
    assert!(error.to_string().contains(":2:10: not TOML: this byte is not UTF-8"), "{error}");
}

#[test]
fn columns_count_characters() {
    assert_eq!(problem("[log]\nlevel = \"ä\" # é\n").column, 9);
    assert_eq!(problem("services = { echo = \"ä\", tonne = \"é\" }\n").column, 26);
}

#[test]
fn an_unknown_key_without_likeness_lists_the_known_ones() {
    refused("log", "colour = true", "unknown key", "known here: level, format");
    refused("http", "listem = \"127.0.0.1:1\"", "unknown key", "did you mean listen?");
    assert_eq!(problem("rooom = 1").wrong.help().split('?').next(), Some("did you mean room"));
}

#[test]
fn values_of_another_kind_are_refused() {
    refused("sip", "listen = \"udp:0.0.0.0:5060\"", "a string where an array of strings belongs", "write");
    refused("sip", "listen = [5060]", "a whole number where a string", "write a string");
    refused("sip", "max_calls = \"many\"", "a string where a whole number", "write a whole number");
    refused("sip", "max_calls = -1", "-1 is not between 1 and", "whole number from 1");
    refused("sip", "min_session_expires = \"3m\"\nsession_expires = \"2m\"", "more than", "lower it");
    assert!(
        good("[sip]\nsession_expires = \"0\"\nmin_session_expires = \"3m\"").sip.session_expires.is_zero()
    );
    refused("sip", "session_expires = \"89s\"", "\"89s\" is no time", "from \"90s\"");
    refused("sip", "session_expires = \"90500ms\"", "is no time", "whole seconds");
    refused("sip", "min_session_expires = \"0\"", "\"0\" is not the least", "from \"90s\"");
    refused("sip", "max_calls = 0", "0 is not between", "from 1");
    refused("media", "workers = 1.5", "a number with a fraction", "whole number");
    assert_eq!(problem("sip = 5").wrong, Wrong::Kind { wanted: "a table", found: "a whole number" });
    assert_eq!(
        problem("[room]\nname = \"a\"").wrong,
        Wrong::Kind { wanted: "an array of tables", found: "a table" }
    );
}

#[test]
fn bounds_for_connections_are_checked() {
    refused("sip", "max_connections = 0", "0 is not between 1 and 1000000", "from 1");
    refused("sip", "max_connections_per_source = 20000", "which is 16384", "raise sip.max_connections");
    refused("sip", "max_connections_per_source = 9\nmax_connections = 8", "which is 8", "lower it");
    refused("sip", "idle_timeout = \"0\"", "\"0\" is not between 10s and 24h", "from \"10s\" to \"24h\"");
    refused("sip", "write_timeout = \"2m\"", "\"2m\" is not between 100ms and 1m", "to \"1m\"");
    refused("sip", "write_timeout = \"soon\"", "is not between", "write a duration");
    assert_eq!(good("[sip]\nmax_connections = 8").sip.connections.max_per_source, 8);
    let summary = good("[sip]\nwrite_timeout = \"250ms\"").summary().to_string();
    assert!(summary.contains("at most 16384 connections, 1024 from one address\n"), "{summary}");
    assert!(summary.contains("closed after 1 h of silence, or 250 ms without reading"), "{summary}");
    let datagrams = good("[sip]\nlisten = [\"udp:127.0.0.1:5060\"]").summary().to_string();
    assert!(!datagrams.contains("connections"), "{datagrams}");
}

#[test]
fn listeners_are_checked() {
    for protocol in Protocol::ALL {
        let listener = format!("{protocol}:127.0.0.1:5060");
        let config = good(&format!("[sip]\nlisten = [{listener:?}]"));
        assert_eq!(config.sip.listen[0].to_string(), listener);
    }
    for wrong in
        ["0.0.0.0:5060", "udp", "udp:", "udp:0.0.0.0", "udp:host:5060", "udp:1.2.3.4:70000", "UDP:1.2.3.4:5"]
    {
        refused("sip", &format!("listen = [\"{wrong}\"]"), "is not a listener", "udp:0.0.0.0:5060");
    }
    refused("sip", "listen = [\"udp:224.0.0.1:5060\"]", "224.0.0.1 cannot be used", "one host");
    refused("sip", "listen = []", "nothing to listen on", "listen = [");
}

#[test]
fn name_servers_are_checked() {
    assert!(good("[sip]\ndns = []").sip.dns.is_empty());
    for wrong in ["dns.example.com", "192.0.2.53:0", "192.0.2.53:", "::1:53:x"] {
        refused(
            "sip",
            &format!("dns = [\"{wrong}\"]"),
            "is not the address of a name server",
            "127.0.0.1:5353",
        );
    }
    refused("sip", "dns = [\"0.0.0.0\"]", "0.0.0.0 cannot be used", "one host");
    refused("sip", "dns = \"192.0.2.53\"", "a string where", "an array of strings");
}

#[test]
fn two_claims_to_one_address_are_refused() {
    let same = "listen = [\"udp:10.0.0.1:5060\", \"udp:10.0.0.1:5060\"]";
    refused("sip", same, "10.0.0.1:5060 is taken by line 2 already", "another port");
    refused(
        "sip",
        "listen = [\"udp:0.0.0.0:5060\", \"udp:10.0.0.1:5060\"]",
        "taken by line 2",
        "another port",
    );
    let http = problem("[sip]\nlisten = [\"tcp:0.0.0.0:8080\"]\n[http]\nlisten = \"127.0.0.1:8080\"\n");
    assert_eq!((http.line, http.key.as_str()), (4, "http.listen"));
    refused("sip", "listen = [\"tcp:0.0.0.0:80\", \"ws:0.0.0.0:80\"]", "taken by line 2", "another port");
    refused("sip", "listen = [\"udp:0.0.0.0:20000\"]", "within the media ports 20000-29999", "move");
}

#[test]
fn addresses_that_only_look_alike_are_fine() {
    for listen in [
        r#"["udp:0.0.0.0:5060", "tcp:0.0.0.0:5060"]"#,
        r#"["udp:127.0.0.1:0", "udp:127.0.0.1:0"]"#,
        r#"["udp:10.0.0.1:5060", "udp:10.0.0.2:5060"]"#,
        r#"["udp:0.0.0.0:5060", "udp:[::]:5060"]"#,
        r#"["tcp:0.0.0.0:20000"]"#,
        r#"["udp:[::1]:20000"]"#,
    ] {
        assert!(!good(&format!("[sip]\nlisten = {listen}")).sip.listen.is_empty(), "{listen}");
    }
}

#[test]
fn every_key_of_tls_arrives() {
    let config = good(
        r#"
        [tls]
        certificate = "a.pem"
        key = "a.key"
        client_certificates = "optional"
        client_ca = "clients.pem"
        ca = "servers.pem"
        [[tls.host]]
        name = "SIP.example.com"
        certificate = "b.pem"
        key = "b.key"
        [[tls.host]]
        name = "*.example.org"
        certificate = "c.pem"
        key = "c.key"
        "#,
    );
    let paths: Vec<_> = config.tls.files().map(|file| file.path.to_str().unwrap()).collect();
    assert_eq!(paths, ["a.pem", "a.key", "b.pem", "b.key", "c.pem", "c.key", "clients.pem", "servers.pem"]);
    let names: Vec<_> = config.tls.hosts.iter().map(|host| host.name.as_str()).collect();
    assert_eq!(names, ["sip.example.com", "*.example.org"]);
    assert!(matches!(&config.tls.clients, ClientCertificates::Optional { ca } if ca.line == 6));
    let place = config.tls.place_of(std::path::Path::new("b.key")).unwrap();
    assert_eq!((place.line, place.column, place.key.as_str()), (11, 15, "tls.host[0].key"));
    let kept = good("[tls]\ndirectory = \"/var/lib/tandem\"\n").tls;
    assert_eq!((kept.directory, kept.certificate), (Some(PathBuf::from("/var/lib/tandem")), None));
}

#[test]
fn tls_keys_that_do_not_go_together_are_refused() {
    refused("tls", "certificate = \"a.pem\"", "of no use without key", "add the other");
    refused("tls", "key = \"a.pem\"", "of no use without certificate", "add the other");
    refused("tls", "client_certificates = \"required\"", "of no use without client_ca", "add the other");
    refused("tls", "client_ca = \"a.pem\"", "no effect unless tls.client_certificates", "take this out");
    refused("tls", "client_certificates = \"on\"", "\"on\" is not known", "off, optional, required");
    refused("tls", "ca = \"\"", "is not a path", "/etc/tandem");
    let idle = problem("[tls]\ncertificate = \"a\"\nkey = \"b\"\ndirectory = \"c\"\n");
    assert_eq!((idle.line, idle.wrong), (4, Wrong::Idle { wants: "tls.certificate is left out" }));
}

#[test]
fn tls_hosts_are_checked() {
    let host = |name: &str| format!("[[tls.host]]\nname = {name:?}\ncertificate = \"a\"\nkey = \"b\"\n");
    for wrong in ["", "*", "a b", "*.*.example.com", "example.com.", "192.0.2.1"] {
        assert!(matches!(problem(&host(wrong)).wrong, Wrong::HostName { .. }), "{wrong}");
    }
    let twice = problem(&(host("a.example") + &host("A.example")));
    assert_eq!(twice.wrong, Wrong::HostTwice { name: "a.example".to_owned(), line: 2 });
    let missing: Vec<_> = problems("[[tls.host]]\n").into_iter().map(|p| (p.key, p.wrong)).collect();
    let missed = |key: &str| (key.to_owned(), Wrong::Missing);
    assert_eq!(missing, [missed("tls.host[0].name"), missed("tls.host[0].certificate")]);
}

#[test]
fn advertised_hosts_are_checked() {
    for (written, host, port) in [
        ("203.0.113.5", "203.0.113.5", None),
        ("203.0.113.5:5070", "203.0.113.5", Some(5070)),
        ("sip.example.com", "sip.example.com", None),
        ("sip.example.com:5070", "sip.example.com", Some(5070)),
    ] {
        let advertise = good(&format!("[sip]\nadvertise = {written:?}")).sip.advertise.unwrap();
        assert_eq!((advertise.host.to_string().as_str(), advertise.port.map(u16::from)), (host, port));
    }
    let v6 = "[sip]\nlisten = [\"udp:[::]:5060\"]\nadvertise = ";
    for (written, shown) in [("2001:db8::5", "[2001:db8::5]"), ("[2001:db8::5]:5070", "[2001:db8::5]:5070")] {
        assert_eq!(good(&format!("{v6}{written:?}")).sip.advertise.unwrap().to_string(), shown);
    }
    for wrong in
        ["", "a b", "host:", "host:0", "host:70000", "-a.example", "1.2.3.400", "sip:host", "exa_mple.com"]
    {
        refused(
            "sip",
            &format!("advertise = \"{wrong}\""),
            "neither an address nor a name",
            "sip.example.com",
        );
    }
    refused("sip", "advertise = \"0.0.0.0\"", "0.0.0.0 cannot be used", "one host");
    refused(
        "sip",
        "advertise = \"2001:db8::5\"",
        "not of the same family as any of sip.listen",
        "IPv4 with IPv4",
    );
}

#[test]
fn media_addresses_are_checked() {
    refused("media", "address = \"localhost\"", "is not an IP address", "not looked up");
    refused("media", "advertise = \"0.0.0.0\"", "cannot be used here", "one host");
    refused("media", "advertise = \"239.1.1.1\"", "cannot be used here", "one host");
    refused("media", "advertise = \"::1\"", "not of the same family as media.address", "IPv6 with IPv6");
}

#[test]
fn port_ranges_are_checked() {
    for wrong in ["20000", "a-b", "-", "20000-70000", "80-90", "20000-20001-20002", ""] {
        refused("media", &format!("ports = \"{wrong}\""), "is not a range of ports", "20000-29999");
    }
    refused("media", "ports = \"20001-20009\"", "starts at 20001, which is odd", "start at 20000");
    refused("media", "ports = \"20000-20000\"", "no room for an RTP and an RTCP port", "20000-29999");
    refused("media", "ports = \"20010-20000\"", "no room", "20000-29999");
    assert_eq!(good("[media]\nports = \"20000-20001\"").sip.max_calls, 1);
    let all = good("[sip]\nlisten = [\"tcp:0.0.0.0:5060\"]\n[media]\nports = \"1024-65535\"");
    assert_eq!(all.media.ports.pairs(), 32_256);
    refused("media", "ports = \"5000-5999\"", "port 5060 lies within the media ports 5000-5999", "move");
}

#[test]
fn more_calls_than_ports_are_refused() {
    let problem = problem("[sip]\nmax_calls = 11\n[media]\nports = \"20000-20019\"\n");
    assert_eq!((problem.key.as_str(), problem.wrong), ("sip.max_calls", Wrong::FewPorts { pairs: 10 }));
}

#[test]
fn durations_are_checked() {
    for wrong in ["", "30", "s", "30 s", "-5s", "1.5s", "30sec", "25h", "99999999999999999999s", "0x1s"] {
        refused("media", &format!("talk_timeout = \"{wrong}\""), "is not a duration", "\"30s\"");
    }
}

#[test]
fn names_have_one_meaning() {
    let twice = problem("[[room]]\nname = \"a\"\n[[room]]\nname = \"a\"\n");
    assert_eq!(twice.wrong, Wrong::Named { name: "a".to_owned(), line: Some(2) });
    let default = problem("[[room]]\nname = \"echo\"\n");
    assert_eq!(default.wrong, Wrong::Named { name: "echo".to_owned(), line: None });
    refused("services", "tone = \"echo\"", "\"echo\" is taken", "off with");
    let services = problem("[services]\necho = \"x\"\ntone = \"x\"\n");
    assert_eq!((services.line, services.key.as_str()), (3, "services.tone"));
    assert_eq!(good("[services]\necho = \"\"\n[[room]]\nname = \"echo\"\n").services.echo, None);
}

#[test]
fn names_and_patterns_are_checked() {
    for wrong in ["", "a b", "a/b", &"x".repeat(65)] {
        let problem = problem(&format!("[[room]]\nname = \"{wrong}\"\n"));
        assert!(matches!(problem.wrong, Wrong::Name { .. }), "{problem:?}");
    }
    refused("rooms", "ad_hoc = [\"1000-*\", \"[abc\"]", "is not a pattern", "1000-1999");
    refused("rooms", "ad_hoc = [\"1999-1000\"]", "is not a pattern", "1000-1999");
    assert!(good("[rooms]\nad_hoc = []").rooms.ad_hoc.is_empty());
}

#[test]
fn words_are_checked() {
    refused("log", "level = \"wran\"", "\"wran\" is not known", "did you mean warn?");
    refused("rooms", "gain_out = 21", "21 is not between -40 and 20", "-40 to 20");
    refused("rooms", "rate = 44100", "\"44100\" is not known", "auto");
    refused("rooms", "rate = \"aut\"", "\"aut\" is not known", "did you mean auto?");
    refused("rooms", "agc_target = 0", "0 is not between -40 and -6", "-40 to -6");
    refused("rooms", "loudest = 1001", "1001 is not between 0 and 1000", "0 to 1000");
    refused("rooms", "comfort_noise = 1", "a whole number where true or false belongs", "true or false");
    refused("rooms", "srtp = \"require\"", "\"require\" is not known", "did you mean required?");
    refused("services", "srtp = true", "where a string belongs", "write a string");
    refused("log", "level = \"INFO\"", "\"INFO\" is not known", "info");
    refused("log", "format = \"xml\"", "\"xml\" is not known", "known here: text, json");
}

#[test]
fn an_unreadable_file_is_named() {
    let error = Config::load(std::path::Path::new("/nonexistent/tandem.toml")).unwrap_err();
    assert!(error.to_string().starts_with("/nonexistent/tandem.toml: cannot be read: "), "{error}");
}

#[test]
fn the_summary_says_what_would_run() {
    let text = good("[[room]]\nname = \"board\"\nmax_participants = 12\n").summary().to_string();
    for part in [
        "udp:0.0.0.0:5060, tcp:0.0.0.0:5060",
        "20000-29999 (5000 calls)",
        "board: at most 12 participants, SRTP optional",
        "1000-1999: on demand",
        "the 4 loudest are heard",
        "echo: echo, SRTP optional",
        "hold 30 min",
    ] {
        assert!(text.contains(part), "{part} is missing in:\n{text}");
    }
}

proptest! {
    /// Whatever the text, the answer comes without a panic, and places lie inside the text.
    #[test]
    fn any_text_gets_an_answer(text in "(\\[[a-z]{1,6}\\]\n|[a-z_]{1,9} = [^\n]{0,12}\n|\\PC{0,9}\n){0,9}") {
        if let Err(ConfigError::Wrong { problems, .. }) = Config::parse("t.toml", &text) {
            prop_assert!(!problems.is_empty());
            let lines = text.split('\n').count();
            prop_assert!(problems.iter().all(|p| p.line >= 1 && p.line <= lines && p.column >= 1));
        }
    }

    /// Damage anywhere in the default is answered.
    #[test]
    fn a_damaged_default_gets_an_answer(at in 0..DEFAULT_TOML.len(), with in any::<char>()) {
        let mut text: Vec<char> = DEFAULT_TOML.chars().collect();
        if let Some(place) = text.get_mut(at) { *place = with; }
        let text: String = text.into_iter().collect();
        if let Err(error) = Config::parse("t.toml", &text) {
            prop_assert!(error.to_string().starts_with("t.toml:"));
        }
    }
}
