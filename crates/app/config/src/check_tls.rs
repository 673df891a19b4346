//! `[tls]` and every `[[tls.host]]`.

use std::path::PathBuf;

use crate::check::read;
use crate::document::{Found, Place, Problems, Section};
use crate::problem::Wrong;
use crate::tls::{CertificateFiles, ClientCertificates, FileName, Tls, TlsHost};
use crate::value::{self, Demand};

pub(crate) fn tls(mut section: Section<'_>, p: &mut Problems<'_>) -> Tls {
    let certificate = pair(&mut section, p);
    let directory = read(&mut section, "directory", value::path, p);
    let clients = clients(&mut section, p);
    let ca = file(&mut section, "ca", p);
    let hosts = section.sections("host", p);
    section.finish(p);
    if let (Some(directory), Some(_)) = (&directory, &certificate) {
        p.note(&directory.at, Wrong::Idle { wants: "tls.certificate is left out" });
    }
    let hosts = distinct(hosts.into_iter().filter_map(|section| host(section, p)).collect(), p);
    Tls {
        certificate,
        hosts,
        directory: directory.map(|found| found.value),
        clients,
        ca: ca.map(|(file, _)| file),
    }
}

/// `certificate` and `key`, both or none.
fn pair(section: &mut Section<'_>, p: &mut Problems<'_>) -> Option<CertificateFiles> {
    let (certificate, key) = (file(section, "certificate", p), file(section, "key", p));
    match (certificate, key) {
        (Some((certificate, _)), Some((key, _))) => Some(CertificateFiles { certificate, key }),
        (Some((_, at)), None) => alone(&at, "key", p),
        (None, Some((_, at))) => alone(&at, "certificate", p),
        (None, None) => None,
    }
}

fn alone(at: &Place, wants: &'static str, p: &mut Problems<'_>) -> Option<CertificateFiles> {
    p.note(at, Wrong::Alone { wants });
    None
}

fn file(section: &mut Section<'_>, key: &'static str, p: &mut Problems<'_>) -> Option<(FileName, Place)> {
    let found: Found<PathBuf> = read(section, key, value::path, p)?;
    let (line, column) = p.line_and_column(&found.at);
    Some((FileName { path: found.value, line, column, key: found.at.key.clone() }, found.at))
}

fn clients(section: &mut Section<'_>, p: &mut Problems<'_>) -> ClientCertificates {
    let demand = read(section, "client_certificates", value::client_certificates, p);
    let ca = file(section, "client_ca", p);
    match (demand.as_ref().map_or(Demand::Off, |found| found.value), ca, demand) {
        (Demand::Optional, Some((ca, _)), _) => ClientCertificates::Optional { ca },
        (Demand::Required, Some((ca, _)), _) => ClientCertificates::Required { ca },
        (Demand::Off, Some((_, at)), _) => {
            p.note(&at, Wrong::Idle { wants: "tls.client_certificates is optional or required" });
            ClientCertificates::Off
        }
        (Demand::Optional | Demand::Required, None, Some(found)) => {
            p.note(&found.at, Wrong::Alone { wants: "client_ca" });
            ClientCertificates::Off
        }
        _ => ClientCertificates::Off,
    }
}

fn host(mut section: Section<'_>, p: &mut Problems<'_>) -> Option<(TlsHost, Place)> {
    let name = section.take("name");
    let is_empty = !section.has("certificate") && !section.has("key");
    let files = pair(&mut section, p);
    if name.is_none() {
        p.note(&section.at.child("name"), Wrong::Missing);
    }
    if is_empty {
        p.note(&section.at.child("certificate"), Wrong::Missing);
    }
    section.finish(p);
    let name = name?.string(p)?.parse(value::host_name, p)?;
    Some((TlsHost { name: name.value, files: files? }, name.at))
}

/// Notes names that come twice.
fn distinct(hosts: Vec<(TlsHost, Place)>, p: &mut Problems<'_>) -> Vec<TlsHost> {
    for (index, (host, at)) in hosts.iter().enumerate() {
        if let Some((_, earlier)) = hosts.iter().take(index).find(|(other, _)| other.name == host.name) {
            let line = p.line(earlier);
            p.note(at, Wrong::HostTwice { name: host.name.clone(), line });
        }
    }
    hosts.into_iter().map(|(host, _)| host).collect()
}
