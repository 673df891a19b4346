//! Who has to encrypt, who may, and who must not.

use super::*;

const CONFIG: &str = "[rooms]\nad_hoc = [\"1000-1999\"]\nsrtp = \"required\"\n[[room]]\nname = \"open\"\nsrtp = \"off\"\n\
    [[room]]\nname = \"both\"\nsrtp = \"optional\"\n";

fn encrypted(profile: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
         m=audio 4000 {profile} 0\r\n\
         a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:d0RmdmcmVCspeEc3QGZiNWpVLFJhQX1cfHAwJSoj\r\n"
    )
}

/// What a call gets: the line of our crypto attribute, `None` for plain media, or the Warning of a refusal.
async fn outcome(w: &mut World, n: u64, user: &str, sdp: &str) -> Result<Option<String>, String> {
    match w.call_with(n, user, sdp).await {
        Command::Reject { status, headers, .. } => {
            assert_eq!(status.get(), 488);
            Err(headers.text(&HeaderName::Warning).unwrap().to_string())
        }
        command => {
            let crypto = answered(&command).lines().find(|line| line.starts_with("a=crypto:"));
            Ok(crypto.map(str::to_owned))
        }
    }
}

#[tokio::test]
async fn each_destination_has_its_own_policy() {
    let mut w = world_with(FakeMedia::default(), CONFIG);
    let plain = offer("sendrecv");
    let refused = outcome(&mut w, 1, "1000", &plain).await.unwrap_err();
    assert!(refused.contains("only encrypted media are served here"), "{refused}");
    let refused = outcome(&mut w, 2, "open", &encrypted("RTP/SAVP")).await.unwrap_err();
    assert!(refused.contains("encrypted media are switched off here"), "{refused}");
    assert_eq!(outcome(&mut w, 3, "open", &encrypted("RTP/AVP")).await, Ok(None));
    assert_eq!(outcome(&mut w, 4, "both", &plain).await, Ok(None));
    assert_eq!(outcome(&mut w, 5, "echo", &plain).await, Ok(None));
    let mut lines = Vec::new();
    for (n, user, profile) in
        [(6, "1000", "RTP/SAVP"), (7, "1000", "RTP/AVP"), (8, "both", "RTP/SAVPF"), (9, "echo", "RTP/AVP")]
    {
        let line = outcome(&mut w, n, user, &encrypted(profile)).await.unwrap().unwrap();
        assert!(line.starts_with("a=crypto:4 AES_CM_128_HMAC_SHA1_80 inline:"), "{line}");
        assert!(!lines.contains(&line), "each call has a key of its own");
        lines.push(line);
    }
}

/// RFC 4028 §7.4: a refresh is no new description, so it brings no new key either (RFC 4568 §7.1.4), whoever refreshes.
#[tokio::test]
async fn refreshes_of_either_side_keep_the_keys() {
    let mut w = world_with(FakeMedia::default(), CONFIG);
    let said = answered(&w.call_with(1, "1000", &encrypted("RTP/SAVP")).await).to_owned();
    for _ in 0..2 {
        w.events.send(Event::RefreshDue { invite: InviteId(1) }).await.unwrap();
        let Some(Command::ReInvite { body: Some(body), .. }) = w.commands.recv().await else {
            panic!("no offer")
        };
        assert_eq!(body.bytes, said, "ours");
        let response = reanswered(&encrypted("RTP/SAVP"));
        let answer = Event::ReInviteAnswered { invite: InviteId(1), response, awaits_ack: false };
        w.events.send(answer).await.unwrap();
        let request = invitation("1000", &encrypted("RTP/SAVP"));
        w.events.send(Event::ReInvite { invite: InviteId(1), request }).await.unwrap();
        assert_eq!(answered(&w.commands.recv().await.unwrap()), said, "theirs");
    }
}

fn reanswered(body: &str) -> Box<tandem_sip::Response> {
    let text = format!(
        "SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 198.51.100.1;branch=z9hG4bK1\r\nFrom: <sip:1000@198.51.100.1>;tag=b\r\n\
         To: <sip:ann@192.0.2.7>;tag=a\r\nCall-ID: x\r\nCSeq: 2 INVITE\r\nContact: <sip:ann@192.0.2.7>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    match Message::parse(text.into()).unwrap() {
        Message::Response(response) => Box::new(response),
        Message::Request(_) => panic!("not a response"),
    }
}
