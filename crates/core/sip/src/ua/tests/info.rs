//! INFO (RFC 6086): keys.

use std::time::Duration;

use tandem_testkit::Conditions;

use super::lone::{INVITE, Lone, PEER, udp, within};
use super::world::fair;
use super::*;
use crate::HeaderName;

/// INFO within the dialog of [`INVITE`].
fn info(cseq: u32, tag: &str, lines: &str, body: &str) -> String {
    let lines = format!("{lines}\nContent-Length: {}\n\n{body}", body.len());
    within("INFO", cseq, tag).replace("Content-Length: 0\n\n", &lines)
}

#[test]
fn keys_reach_the_application_once_each() {
    for seed in 0..30 {
        let rough = Conditions { loss: 0.3, duplicate: 0.3, reorder: true, ..fair() };
        let mut world = World::new(fair(), seed);
        established(&mut world, Protocol::Udp);
        world.set_conditions(rough);
        for digit in ["1", "*"] {
            let bytes = format!("Signal={digit}\r\nDuration=200\r\n").into();
            let body = Some(Body { content_type: "application/dtmf-relay".into(), bytes });
            let (method, headers) = (Method::Info, Headers::new());
            world.command(Who::Alice, Command::Request { invite: OUT, method, headers, body });
            let heard = world.find(Who::Bob, |event| match event {
                Event::Digit { digit, duration, .. } => Some((digit.to_string(), *duration)),
                _ => None,
            });
            assert_eq!(heard, (digit.to_owned(), Duration::from_millis(200)));
            let status = world.find(Who::Alice, |event| match event {
                Event::Response { result: Ok(response), .. } => Some(response.status.get()),
                _ => None,
            });
            assert_eq!(status, 200);
        }
        world.set_conditions(fair());
        world.run_until(world.now + Duration::from_secs(1));
        assert!(world.bob.events.is_empty(), "seed {seed}");
    }
}

#[test]
fn what_is_no_key_is_refused_or_left_to_the_application() {
    let mut lone = Lone::new();
    let (_, tag) = lone.establish(udp(PEER), INVITE);
    let odd = lone.reply(&info(2, &tag, "Content-Type: application/dtmf-relay", "Signal=?"));
    assert_eq!(odd.status.get(), 400);
    let package = lone.reply(&info(3, &tag, "Info-Package: foo\nContent-Type: application/foo", "x"));
    assert_eq!(package.status.get(), 469);
    assert_eq!(package.headers.text(&HeaderName::Other("Recv-Info".to_owned())), Some("nil"));
    lone.receive(udp(PEER), &info(4, &tag, "Content-Type: application/media_control+xml", "<x/>"));
    assert!(matches!(lone.out[..], [Output::Event(Event::Request { .. })]), "{:?}", lone.out);
}
