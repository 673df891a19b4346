use std::net::{SocketAddr, TcpStream};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use rustix::process::{Pid, kill_process_group};

use crate::{Log, Process, Scratch, Signal, Transport, address, free_port, until};

/// How long a start or a stop may take.
const PATIENCE: Duration = Duration::from_secs(15);

/// A running Kamailio: a proxy that sends each new request to one next hop, over a transport of the test's choice,
/// and stays on the way of what follows (Record-Route, one entry for each transport where they differ).
///
/// Callers may come over UDP, TCP, TLS, WS and WSS. It leaves over UDP, TCP and TLS alone: its module `websocket` takes
/// connections, but makes none (to a next hop over WS or WSS it answers 500), and RFC 7118 has browsers connect, so
/// that Tandem makes none to it either. What comes back to a caller over WS goes over the connection that it has made.
///
/// It says of each request `proxying METHOD from ADDRESS by TRANSPORT`.
pub struct Kamailio {
    at: SocketAddr,
    process: Process,
    _scratch: Scratch,
}

impl Kamailio {
    /// Starts it between whoever comes and `next`.
    pub fn start(next: SocketAddr, towards: Transport) -> Self {
        let ip = address();
        let at = SocketAddr::from((ip, free_port(ip)));
        let scratch = Scratch::new("kamailio");
        certify(at, &scratch);
        let file = scratch.write("kamailio.cfg", text(at, scratch.path(), next, towards));
        let mut command = Command::new("kamailio");
        // In the foreground, its log to standard error, all that it writes in a folder of its own.
        command.args(["-DD", "-E", "-m", "64", "-f"]).arg(file);
        command.arg("-w").arg(scratch.path()).arg("-Y").arg(scratch.path());
        command.current_dir(scratch.path()).process_group(0);
        let mut process = Process::spawn("kamailio", "kamailio", &mut command);
        until("kamailio to listen", PATIENCE, || {
            assert!(process.is_running(), "kamailio has ended:\n{}", process.log());
            TcpStream::connect(at).ok()
        });
        Kamailio { at, process, _scratch: scratch }
    }

    /// Where it listens, for UDP, TCP and WS.
    pub fn at(&self) -> SocketAddr {
        self.at
    }

    /// Where it listens for TLS and WSS.
    pub fn at_tls(&self) -> SocketAddr {
        at_tls(self.at)
    }

    /// Where it listens for this.
    pub fn at_transport(&self, transport: Transport) -> SocketAddr {
        match transport {
            Transport::Udp | Transport::Tcp | Transport::Ws => self.at(),
            Transport::Tls | Transport::Wss => self.at_tls(),
        }
    }

    /// What it said.
    pub fn log(&self) -> &Log {
        self.process.log()
    }
}

/// Its main process, asked to, ends the others; killed, it would leave them behind.
impl Drop for Kamailio {
    fn drop(&mut self) {
        let end = Instant::now() + PATIENCE;
        if self.process.is_running() {
            self.process.signal(Signal::TERM);
        }
        while self.process.is_running() && Instant::now() < end {
            std::thread::sleep(Duration::from_millis(10));
        }
        // The group is its own, and its leader is not yet reaped or has not ended.
        if self.process.is_running()
            && let Some(group) = i32::try_from(self.process.id()).ok().and_then(Pid::from_raw)
        {
            let _ = kill_process_group(group, Signal::KILL);
        }
    }
}

/// Writes a certificate for its address, which it signs itself.
fn certify(at: SocketAddr, scratch: &Scratch) {
    let made = rcgen::generate_simple_self_signed([at.ip().to_string()]).unwrap();
    scratch.write("certificate.pem", made.cert.pem());
    scratch.write("key.pem", made.signing_key.serialize_pem());
}

fn at_tls(at: SocketAddr) -> SocketAddr {
    SocketAddr::new(at.ip(), at.port() + 1)
}

fn text(at: SocketAddr, folder: &Path, next: SocketAddr, towards: Transport) -> String {
    let (transport, tls, folder) = (towards.name(), at_tls(at), folder.display());
    format!(
        r#"#!KAMAILIO
debug=2
log_stderror=yes
# Several of each, as everywhere: a request may overtake the one before it.
children=4
tcp_children=4
auto_aliases=no
dns=no
rev_dns=no
listen=udp:{at}
listen=tcp:{at}
listen=tls:{tls}
enable_tls=yes
# HTTP, which WebSocket begins as, has requests without Content-Length.
tcp_accept_no_cl=yes
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "nathelper.so"
loadmodule "xlog.so"
loadmodule "xhttp.so"
loadmodule "websocket.so"
loadmodule "tls.so"
modparam("tls", "tls_method", "TLSv1.2+")
modparam("tls", "certificate", "{folder}/certificate.pem")
modparam("tls", "private_key", "{folder}/key.pem")
modparam("rr", "enable_double_rr", 1)

event_route[xhttp:request] {{
    ws_handle_handshake();
}}

request_route {{
    xlog("L_NOTICE", "proxying $rm from $si by $pr\n");
    if (!mf_process_maxfwd_header("10")) {{
        sl_send_reply("483", "Too Many Hops");
        exit;
    }}
    if (is_method("CANCEL")) {{
        if (t_check_trans()) {{
            t_relay();
        }}
        exit;
    }}
    # The Contact of sipp by TCP and of a browser names what nobody listens on: the connection is noted there.
    if ($si != "{next_ip}") {{
        add_contact_alias();
    }}
    if (has_totag()) {{
        if (!loose_route()) {{
            sl_send_reply("404", "Not Here");
            exit;
        }}
        handle_ruri_alias();
        t_relay();
        exit;
    }}
    record_route();
    $du = "sip:{next};transport={transport}";
    t_relay();
}}
"#,
        next_ip = next.ip(),
    )
}
