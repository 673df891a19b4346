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
/// It says of each request `proxying METHOD from ADDRESS by TRANSPORT`.
pub struct Kamailio {
    at: SocketAddr,
    process: Process,
    _scratch: Scratch,
}

impl Kamailio {
    /// Starts it between whoever comes over UDP or TCP and `next`.
    pub fn start(next: SocketAddr, towards: Transport) -> Self {
        let ip = address();
        let at = SocketAddr::from((ip, free_port(ip)));
        let scratch = Scratch::new("kamailio");
        let tls = (towards == Transport::Tls).then(|| tls(at, scratch.path()));
        let file = scratch.write("kamailio.cfg", text(at, &tls.unwrap_or_default(), next, towards));
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

    /// Where it listens, for UDP and TCP.
    pub fn at(&self) -> SocketAddr {
        self.at
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

/// What TLS needs: a listener and a certificate.
fn tls(at: SocketAddr, folder: &Path) -> String {
    let mut command = Command::new("openssl");
    command.current_dir(folder).args([
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
    ]);
    command.args(["-nodes", "-days", "2", "-subj", "/CN=proxy.example.com"]);
    command.args(["-keyout", "key.pem", "-out", "certificate.pem"]);
    let made = Process::spawn("openssl", "openssl", &mut command).wait(PATIENCE);
    assert!(made.success(), "openssl makes a certificate");
    let folder = folder.display();
    let listener = SocketAddr::new(at.ip(), at.port() + 1);
    format!(
        "enable_tls=yes\nlisten=tls:{listener}\nloadmodule \"tls.so\"\n\
         modparam(\"tls\", \"tls_method\", \"TLSv1.2+\")\n\
         modparam(\"tls\", \"certificate\", \"{folder}/certificate.pem\")\n\
         modparam(\"tls\", \"private_key\", \"{folder}/key.pem\")\n"
    )
}

fn text(at: SocketAddr, tls: &str, next: SocketAddr, towards: Transport) -> String {
    let transport = towards.name();
    format!(
        r#"#!KAMAILIO
debug=2
log_stderror=yes
# One of each: several would let a re-INVITE overtake the ACK before it.
children=1
tcp_children=1
auto_aliases=no
dns=no
rev_dns=no
listen=udp:{at}
listen=tcp:{at}
loadmodule "tm.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "siputils.so"
loadmodule "textops.so"
loadmodule "nathelper.so"
loadmodule "xlog.so"
{tls}modparam("rr", "enable_double_rr", 1)

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
    # sipp's Contact names a port that nobody listens on over TCP: the connection is noted there.
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
