use proptest::prelude::*;

use super::*;
use crate::{Method, StatusCode};

fn message(length_line: &str, body: &str) -> String {
    format!(
        "OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP b.example;branch=z9hG4bK1\r\nFrom: <sip:b@b.example>;tag=1\r\n\
         To: <sip:a@example.com>\r\nCall-ID: x\r\nCSeq: 1 OPTIONS\r\n{length_line}\r\n\r\n{body}"
    )
}

/// All frames of a stream cut at these places, and the error that ended it.
fn frames(stream: &[u8], chunk: impl Fn(usize) -> usize) -> (Vec<Frame>, Option<Problem>) {
    let (mut framer, mut out, mut rest, mut n) = (StreamFramer::new(), Vec::new(), stream, 0);
    while !rest.is_empty() {
        let (now, later) = rest.split_at(chunk(n).clamp(1, rest.len()));
        framer.push(now);
        loop {
            match framer.next_frame() {
                Ok(Some(frame)) => out.push(frame),
                Ok(None) => break,
                Err(error) => return (out, Some(error.problem().clone())),
            }
        }
        (rest, n) = (later, n + 1);
    }
    (out, None)
}

fn whole(stream: &str) -> (Vec<Frame>, Option<Problem>) {
    frames(stream.as_bytes(), |_| usize::MAX)
}

fn text(frame: &Frame) -> &str {
    match frame {
        Frame::Message(bytes) => std::str::from_utf8(bytes).unwrap(),
        Frame::Ping => "ping",
    }
}

#[test]
fn many_messages_may_share_a_segment() {
    let (one, two) = (message("Content-Length: 5", "hello"), message("l : 0", ""));
    let (seen, error) = whole(&format!("\r\n{one}\r\n\r\n{two}\r\n{one}"));
    assert_eq!(error, None);
    assert_eq!(seen.iter().map(text).collect::<Vec<_>>(), [&one, "ping", &two, &one]);
}

#[test]
fn every_spelling_of_content_length_counts() {
    // A reader that misses one of these would take the body for the next request.
    for line in [
        "l: 5",
        "L:5",
        "Content-Length : 5",
        "CONTENT-LENGTH\t:\t5 ",
        "Content-Length:\r\n 5",
        "Content-Length: 5\r\nl: 05",
    ] {
        let (one, two) = (message(line, "BYE s"), message("l: 0", ""));
        let (seen, error) = whole(&format!("{one}{two}"));
        assert_eq!(error, None, "{line}");
        assert_eq!(seen.iter().map(text).collect::<Vec<_>>(), [&one, &two], "{line}");
    }
}

#[test]
fn an_unsure_end_is_the_end_of_the_connection() {
    use crate::HeaderProblem::{Contradictory, Malformed, Missing};
    for (lines, problem) in [
        ("Subject: x", Missing),
        ("Content-Length: 5\r\nl: 0", Contradictory),
        ("Content-Length: five", Malformed),
        ("Content-Length: -1", Malformed),
        ("Content-Length: 5, 5", Malformed),
        ("Content-Length: 5\r\n 6", Malformed),
        ("Content-Length:", Malformed),
    ] {
        let mut framer = StreamFramer::new();
        framer.push(message(lines, "hello").as_bytes());
        let error = framer.next_frame().unwrap_err();
        let expected = HeaderError::new(HeaderName::ContentLength, problem);
        assert_eq!(error.problem(), &Problem::Header(expected), "{lines}");
        let answer = error.response("192.0.2.1:5060".parse().unwrap(), "t").unwrap();
        assert_eq!(answer.status, StatusCode::BAD_REQUEST);
        framer.push(message("l: 0", "").as_bytes());
        assert_eq!(framer.next_frame(), Err(error), "an error is final");
    }
}

#[test]
fn what_cannot_be_framed_is_refused() {
    for (stream, problem) in [
        ("\rX".to_owned(), Problem::NotSip),
        ("\r\n\rX".to_owned(), Problem::NotSip),
        (message("no colon", ""), Problem::HeaderLine),
        (message("Bad\nName: x", ""), Problem::HeaderLine),
        (message("A: \rx", ""), Problem::HeaderLine),
        (message("Content-Length: 65536", ""), Problem::TooLarge),
        ("X".repeat(MAX_MESSAGE + 1), Problem::TooLarge),
    ] {
        assert_eq!(whole(&stream), (vec![], Some(problem)), "{:.40}", stream);
    }
}

#[test]
fn one_announced_too_large_is_told() {
    let mut framer = StreamFramer::new();
    framer.push(message("Content-Length: 18446744073709551615", "").as_bytes());
    let error = framer.next_frame().unwrap_err();
    assert_eq!(error.request().map(|r| &r.method), Some(&Method::Options));
    assert_eq!(error.problem().status(), StatusCode::MESSAGE_TOO_LARGE);
}

#[test]
fn half_a_message_is_waited_for() {
    let mut framer = StreamFramer::new();
    let one = message("l: 5", "hello");
    framer.push(&one.as_bytes()[..one.len() - 1]);
    assert_eq!(framer.next_frame(), Ok(None));
    assert!(framer.is_mid_message());
    framer.push(b"o");
    assert_eq!(framer.next_frame(), Ok(Some(Frame::Message(one.into()))));
    assert!(!framer.is_mid_message());
}

proptest! {
    #[test]
    fn the_split_makes_no_difference(
        parts in prop::collection::vec(0..5usize, 1..8),
        chunks in prop::collection::vec(1..90usize, 1..20),
    ) {
        let kinds = [message("l: 0", ""), message("l: 7", "a\r\n\r\nbc"), "\r\n\r\n".into(), "\r\n".into(), "junk".into()];
        let stream: String = parts.iter().map(|i| kinds[*i].as_str()).collect();
        let expected = whole(&stream);
        prop_assert_eq!(frames(stream.as_bytes(), |_| 1), expected.clone());
        prop_assert_eq!(frames(stream.as_bytes(), |n| chunks[n % chunks.len()]), expected);
    }

    #[test]
    fn arbitrary_bytes_do_no_harm(stream in prop::collection::vec(any::<u8>(), 0..600), cut in 1..64usize) {
        prop_assert_eq!(frames(&stream, |_| cut), frames(&stream, |_| 1));
    }
}
