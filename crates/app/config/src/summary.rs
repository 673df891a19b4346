use std::fmt;
use std::num::NonZeroUsize;
use std::time::Duration;

use tandem_base::{Gain, LegSound, RoomAudio, SrtpPolicy};

use crate::model::{Config, Connections, Protocol, Rooms};
use crate::tls::{ClientCertificates, Tls};

/// What would run, a few lines to read.
#[derive(Clone, Copy, Debug)]
pub struct Summary<'c>(pub(crate) &'c Config);

impl fmt::Display for Summary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Config { sip, media, http, rooms, services, log, tls } = self.0;
        writeln!(f, "sip       {}", joined(&sip.listen))?;
        match &sip.advertise {
            Some(advertise) => writeln!(f, "          advertised as {advertise}")?,
            None => writeln!(f, "          advertised as the address each peer reaches")?,
        }
        writeln!(f, "          at most {} calls", sip.max_calls)?;
        if sip.listen.iter().any(|listener| listener.protocol != Protocol::Udp) {
            let Connections { max, max_per_source, idle_timeout, write_timeout } = sip.connections;
            let [idle, write] = [idle_timeout, write_timeout].map(duration);
            writeln!(f, "          at most {max} connections, {max_per_source} from one address")?;
            writeln!(f, "          closed after {idle} of silence, or {write} without reading what is sent")?;
        }
        if !sip.dns.is_empty() {
            writeln!(f, "          names asked of {}", joined(&sip.dns))?;
        }
        match sip.session_expires.is_zero() {
            true => writeln!(f, "          no session timers")?,
            false => {
                let [expires, least] = [sip.session_expires, sip.min_session_expires].map(duration);
                writeln!(f, "          a session lives {expires} without a refresh, {least} at least")?;
            }
        }
        if sip.listen.iter().any(|listener| listener.protocol.is_encrypted()) {
            tls_lines(tls, f)?;
        }
        writeln!(f, "media     {} ports {} ({} calls)", media.address, media.ports, media.ports.pairs())?;
        if let Some(address) = media.advertise {
            writeln!(f, "          advertised as {address}")?;
        }
        match media.workers {
            Some(workers) => writeln!(f, "          threads: {workers}")?,
            None => writeln!(f, "          threads: one per core")?,
        }
        let [setup, talk, hold] =
            [media.timeouts.setup, media.timeouts.talk, media.timeouts.hold].map(duration);
        writeln!(f, "          without media a call ends: set-up {setup}, talk {talk}, hold {hold}")?;
        writeln!(f, "http      {} (checked, not yet served by this version)", http.listen)?;
        room_lines(rooms, f)?;
        for (user, service) in [(&services.echo, "echo"), (&services.tone, "test tone")] {
            if let Some(user) = user {
                writeln!(f, "service   {user}: {service}, {}", encryption(services.srtp))?;
            }
        }
        write!(f, "log       {} as {}", log.level.as_str(), log.format.as_str())
    }
}

fn tls_lines(tls: &Tls, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    match (&tls.certificate, &tls.directory) {
        (Some(files), _) => writeln!(f, "tls       certificate {}", files.certificate.path.display())?,
        (None, Some(directory)) => {
            writeln!(f, "tls       self-signed certificate, kept in {}", directory.display())?;
        }
        (None, None) => writeln!(f, "tls       self-signed certificate")?,
    }
    for host in &tls.hosts {
        writeln!(f, "          for {}: {}", host.name, host.files.certificate.path.display())?;
    }
    let (demand, ca) = match &tls.clients {
        ClientCertificates::Off => return Ok(()),
        ClientCertificates::Optional { ca } => ("optional", ca),
        ClientCertificates::Required { ca } => ("required", ca),
    };
    writeln!(f, "          client certificates {demand}, signed by {}", ca.path.display())
}

fn room_lines(rooms: &Rooms, f: &mut fmt::Formatter<'_>) -> fmt::Result {
    for room in &rooms.fixed {
        let limit = participants(room.max_participants);
        writeln!(f, "room      {}: {limit}, {}, {}", room.name, encryption(room.srtp), audible(room.audio))?;
    }
    for pattern in &rooms.ad_hoc {
        let limit = participants(rooms.max_participants);
        let (encryption, audible) = (encryption(rooms.srtp), audible(rooms.audio));
        writeln!(f, "rooms     {pattern}: on demand, {limit}, {encryption}, {audible}")?;
    }
    Ok(())
}

fn encryption(policy: SrtpPolicy) -> String {
    format!("SRTP {}", policy.as_str())
}

fn audible(audio: RoomAudio) -> String {
    let who = match audio.loudest {
        0 => "all who speak are heard".to_owned(),
        1 => "only the loudest is heard".to_owned(),
        n => format!("the {n} loudest are heard"),
    };
    let mut all = if audio.comfort_noise { who } else { format!("{who}, no comfort noise") };
    if let Some(rate) = audio.rate {
        all += &format!(", mixed at {} Hz", rate.hz());
    }
    let LegSound { gain_in, gain_out, agc, noise_suppression, echo_suppression, .. } = audio.sound;
    for (gain, what) in [(gain_in, "in"), (gain_out, "out")].into_iter().filter(|(g, _)| *g != Gain::UNITY) {
        all += &format!(", gain {what} {} dB", gain.db());
    }
    if let Some(agc) = agc {
        all += &format!(", automatic gain to {} dBFS by {} dB at most", agc.target_dbfs, agc.max_gain_db);
    }
    for (on, what) in [(noise_suppression, "noise"), (echo_suppression, "echo")] {
        if on {
            all += &format!(", {what} suppressed");
        }
    }
    all
}

fn participants(limit: Option<NonZeroUsize>) -> String {
    limit.map_or("any number of participants".to_owned(), |limit| format!("at most {limit} participants"))
}

fn joined<T: fmt::Display>(items: &[T]) -> String {
    items.iter().map(T::to_string).collect::<Vec<_>>().join(", ")
}

/// As the configuration writes it.
fn duration(duration: Duration) -> String {
    let millis = duration.as_millis();
    match millis {
        0 => "never".to_owned(),
        _ if millis.is_multiple_of(3_600_000) => format!("{} h", millis / 3_600_000),
        _ if millis.is_multiple_of(60_000) => format!("{} min", millis / 60_000),
        _ if millis.is_multiple_of(1_000) => format!("{} s", millis / 1_000),
        _ => format!("{millis} ms"),
    }
}
