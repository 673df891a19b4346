mod srtp;

use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use bytes::Bytes;
use tandem_base::{
    Agc, Attachment, AudioStream, Blame, ConferenceId, Direction, Epoch, Fault, Gain, LegId, LegSound,
    LocalMedia, MediaEvent, MediaTimeout, MediaTimeouts, RoomAudio,
};
use tandem_config::Config;
use tandem_sip::ua::{Command, EndCause, Event, Flow, FlowId, InviteId, Protocol, RequestId};
use tandem_sip::{HeaderName, Message, Method, Request};
use tandem_testkit::Seeded;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

use crate::{Control, Media, Ports, Settings};

/// What the media side was told.
#[derive(Clone, Debug, PartialEq)]
enum Told {
    Open(LegId),
    Configure(LegId, Epoch, Direction, Attachment),
    Close(LegId),
}

#[derive(Clone, Default)]
struct FakeMedia {
    told: Arc<Mutex<Vec<Told>>>,
    /// Of each configuration.
    audio: Arc<Mutex<Vec<RoomAudio>>>,
    /// Of each adjustment.
    sounds: Arc<Mutex<Vec<(LegId, LegSound)>>>,
    exhausted: bool,
}

impl FakeMedia {
    fn tell(&self, what: Told) {
        self.told.lock().unwrap().push(what);
    }

    fn told(&self) -> Vec<Told> {
        self.told.lock().unwrap().clone()
    }
}

impl Media for FakeMedia {
    fn open(&self, leg: LegId, _: IpAddr, _: MediaTimeouts) -> Result<LocalMedia, Fault> {
        if self.exhausted {
            return Err(Fault::new(Blame::Ourselves, 503, "no ports"));
        }
        self.tell(Told::Open(leg));
        let port = 20_000 + u16::try_from(leg.0).unwrap() * 2;
        Ok(LocalMedia { rtp: ([198, 51, 100, 1], port).into(), rtcp: ([198, 51, 100, 1], port + 1).into() })
    }

    fn configure(
        &self,
        leg: LegId,
        epoch: Epoch,
        stream: AudioStream,
        to: Attachment,
        audio: RoomAudio,
    ) -> Result<(), Fault> {
        self.audio.lock().unwrap().push(audio);
        self.tell(Told::Configure(leg, epoch, stream.direction, to));
        Ok(())
    }

    fn adjust(&self, leg: LegId, sound: LegSound) -> Result<(), Fault> {
        self.sounds.lock().unwrap().push((leg, sound));
        Ok(())
    }

    fn close(&self, leg: LegId) {
        self.tell(Told::Close(leg));
    }
}

/// Control with a fake world around it.
struct World {
    media: FakeMedia,
    media_events: mpsc::Sender<MediaEvent>,
    events: mpsc::Sender<Event>,
    commands: mpsc::Receiver<Command>,
    stop: Option<oneshot::Sender<()>>,
    control: JoinHandle<()>,
}

fn world_with(media: FakeMedia, config: &str) -> World {
    let config = Config::parse("test.toml", config).unwrap();
    let (media_events, media_rx) = mpsc::channel(64);
    let (events, events_rx) = mpsc::channel(64);
    let (commands_tx, commands) = mpsc::channel(64);
    let (stop, stop_rx) = oneshot::channel();
    let ports = Ports {
        media: media.clone(),
        media_events: media_rx,
        commands: commands_tx,
        events: events_rx,
        entropy: Seeded::new(1),
        stop: stop_rx,
    };
    let control = tokio::spawn(Control::run(Settings::new(&config), ports));
    World { media, media_events, events, commands, stop: Some(stop), control }
}

fn world() -> World {
    world_with(FakeMedia::default(), "[rooms]\nad_hoc = [\"1000-1999\"]\nmax_participants = 2\n")
}

fn offer(direction: &str) -> String {
    format!(
        "v=0\r\no=- 1 1 IN IP4 192.0.2.7\r\ns=-\r\nc=IN IP4 192.0.2.7\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 0\r\na={direction}\r\n"
    )
}

fn invitation(user: &str, body: &str) -> Box<Request> {
    let text = format!(
        "INVITE sip:{user}@198.51.100.1 SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.7;branch=z9hG4bK1\r\n\
         From: \"Ann\" <sip:ann@192.0.2.7>;tag=a\r\nTo: <sip:{user}@198.51.100.1>\r\nCall-ID: x\r\n\
         CSeq: 1 INVITE\r\nMax-Forwards: 70\r\nContact: <sip:ann@192.0.2.7>\r\n\
         Content-Type: application/sdp\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    match Message::parse(text.into()).unwrap() {
        Message::Request(request) => Box::new(request),
        Message::Response(_) => panic!("not a request"),
    }
}

impl World {
    async fn call(&mut self, n: u64, user: &str) -> Command {
        self.call_with(n, user, &offer("sendrecv")).await
    }

    async fn call_with(&mut self, n: u64, user: &str, body: &str) -> Command {
        let flow = Flow {
            id: FlowId(1),
            protocol: Protocol::Udp,
            local: "198.51.100.1:5060".parse().unwrap(),
            remote: "192.0.2.7:5060".parse().unwrap(),
        };
        let request = invitation(user, body);
        self.events.send(Event::Incoming { invite: InviteId(n), request, flow }).await.unwrap();
        self.commands.recv().await.unwrap()
    }

    async fn end(&mut self, n: u64, cause: EndCause) {
        self.events.send(Event::Ended { invite: InviteId(n), cause }).await.unwrap();
    }

    async fn media_closed(&mut self, leg: LegId) {
        self.media_events.send(MediaEvent::Closed { leg, report: Box::default() }).await.unwrap();
    }

    async fn stopped(mut self) -> Vec<Command> {
        drop(self.stop.take());
        let mut rest = Vec::new();
        while let Some(command) = self.commands.recv().await {
            rest.push(command);
        }
        self.control.await.unwrap();
        rest
    }
}

fn answered(command: &Command) -> &str {
    match command {
        Command::Answer { body: Some(body), .. } => std::str::from_utf8(&body.bytes).unwrap(),
        other => panic!("not answered: {other:?}"),
    }
}

fn refused(command: &Command) -> u16 {
    match command {
        Command::Reject { status, .. } => status.get(),
        other => panic!("not refused: {other:?}"),
    }
}

fn conference(told: Told) -> Option<ConferenceId> {
    match told {
        Told::Configure(_, _, _, Attachment::Conference(id)) => Some(id),
        _ => None,
    }
}

#[tokio::test]
async fn legs_sound_as_their_room_is_configured() {
    let config = "[[room]]\nname = \"hall\"\ngain_in = -6\nagc = true\n";
    let mut w = world_with(FakeMedia::default(), config);
    for (n, user) in [(1, "1000"), (2, "hall")] {
        answered(&w.call(n, user).await);
    }
    let hall = LegSound { gain_in: Gain::new(-6).unwrap(), agc: Some(Agc::default()), ..LegSound::default() };
    assert_eq!(*w.media.sounds.lock().unwrap(), [(LegId(2), hall)]);
}

#[tokio::test]
async fn rooms_sound_as_they_are_configured() {
    let config = "[rooms]\nloudest = 3\n[[room]]\nname = \"hall\"\nloudest = 0\ncomfort_noise = false\n";
    let mut w = world_with(FakeMedia::default(), config);
    for (n, user) in [(1, "1000"), (2, "hall"), (3, "echo")] {
        answered(&w.call(n, user).await);
    }
    let audio: Vec<_> = w.media.audio.lock().unwrap().iter().map(|a| (a.loudest, a.comfort_noise)).collect();
    assert_eq!(audio, [(3, true), (0, false), (4, true)]);
}

#[tokio::test]
async fn callers_of_a_room_share_a_conference_and_the_third_is_one_too_many() {
    let mut w = world();
    assert!(answered(&w.call(1, "1000").await).contains("m=audio 20002 RTP/AVP 0"));
    answered(&w.call(2, "1000").await);
    answered(&w.call(3, "1001").await);
    assert_eq!(refused(&w.call(4, "1000").await), 486);
    let conferences: Vec<_> = w.media.told().into_iter().filter_map(conference).collect();
    assert_eq!(conferences, [ConferenceId(1), ConferenceId(1), ConferenceId(2)]);
}

#[tokio::test]
async fn nobody_known_no_codec_and_no_ports_are_told_apart() {
    let mut w = world();
    assert_eq!(refused(&w.call(1, "999").await), 404);
    let g729 = offer("sendrecv").replace("AVP 0", "AVP 18");
    let command = w.call_with(2, "1000", &g729).await;
    assert_eq!(refused(&command), 488);
    let Command::Reject { headers, .. } = command else { unreachable!() };
    assert!(headers.text(&HeaderName::Warning).unwrap().contains("tandem"));
    assert_eq!(w.media.told(), [], "no port was opened for either");
    let mut w = world_with(FakeMedia { exhausted: true, ..Default::default() }, "");
    assert_eq!(refused(&w.call(1, "1000").await), 503);
}

#[tokio::test]
async fn hold_reaches_the_media() {
    let mut w = world();
    w.call(1, "1000").await;
    let request = invitation("1000", &offer("sendonly"));
    w.events.send(Event::ReInvite { invite: InviteId(1), request }).await.unwrap();
    assert!(answered(&w.commands.recv().await.unwrap()).contains("a=recvonly"));
    let to = Attachment::Conference(ConferenceId(1));
    assert_eq!(w.media.told().last(), Some(&Told::Configure(LegId(1), Epoch(2), Direction::RecvOnly, to)));
}

#[tokio::test]
async fn an_update_is_answered_like_a_reinvite() {
    let mut w = world();
    w.call(1, "1000").await;
    let mut request = invitation("1000", &offer("sendonly"));
    request.method = Method::Update;
    w.events.send(Event::ReInvite { invite: InviteId(1), request }).await.unwrap();
    assert!(answered(&w.commands.recv().await.unwrap()).contains("a=recvonly"));
    assert!(matches!(w.media.told().last(), Some(Told::Configure(_, Epoch(2), Direction::RecvOnly, _))));
}

#[tokio::test]
async fn a_refresh_repeats_our_description() {
    let mut w = world();
    let said = answered(&w.call(1, "1000").await).to_owned();
    w.events.send(Event::RefreshDue { invite: InviteId(1) }).await.unwrap();
    let Some(Command::ReInvite { body: Some(body), .. }) = w.commands.recv().await else {
        panic!("no offer")
    };
    assert_eq!(body.bytes, said);
}

#[tokio::test]
async fn info_of_unknown_kind_is_refused_and_an_empty_one_is_not() {
    let mut w = world();
    w.call(1, "1000").await;
    let flow = Flow {
        id: FlowId(1),
        protocol: Protocol::Udp,
        local: "198.51.100.1:5060".parse().unwrap(),
        remote: "192.0.2.7:5060".parse().unwrap(),
    };
    for (n, body, expected) in [(1, "<xml/>", 415), (2, "", 200)] {
        let mut request = invitation("1000", body);
        request.method = Method::Info;
        let (invite, id) = (Some(InviteId(1)), RequestId(n));
        w.events.send(Event::Request { invite, id, request, flow }).await.unwrap();
        let Some(Command::Respond { status, headers, .. }) = w.commands.recv().await else {
            panic!("no response")
        };
        assert_eq!(status.get(), expected);
        assert_eq!(headers.has(&HeaderName::Accept), expected == 415);
    }
}

#[tokio::test]
async fn media_that_stop_end_the_leg_and_the_room_lives_on() {
    let mut w = world();
    w.call(1, "1000").await;
    w.call(2, "1000").await;
    let timeout = MediaEvent::Timeout { leg: LegId(1), epoch: Epoch(1), kind: MediaTimeout::Talk };
    w.media_events.send(timeout).await.unwrap();
    let Some(Command::Bye { invite, headers }) = w.commands.recv().await else { panic!("no BYE") };
    assert_eq!(invite, InviteId(1));
    assert!(headers.text(&HeaderName::Reason).unwrap().starts_with("Q.850;cause="));
    w.media_closed(LegId(1)).await;
    w.end(1, EndCause::Local).await;
    // The place that came free can be taken again: it is still the same conference.
    answered(&w.call(3, "1000").await);
    let to = Attachment::Conference(ConferenceId(1));
    assert_eq!(w.media.told().last(), Some(&Told::Configure(LegId(3), Epoch(1), Direction::SendRecv, to)));
}

#[tokio::test]
async fn a_hung_up_call_closes_its_media_and_an_empty_room_closes() {
    let mut w = world();
    w.call(1, "1000").await;
    w.end(1, EndCause::Bye { reason: None }).await;
    // What closes the media must come before word that they are closed.
    while !w.media.told().contains(&Told::Close(LegId(1))) {
        tokio::task::yield_now().await;
    }
    w.media_closed(LegId(1)).await;
    answered(&w.call(2, "1000").await);
    assert!(w.media.told().contains(&Told::Close(LegId(1))));
    let to = Attachment::Conference(ConferenceId(2));
    assert_eq!(w.media.told().last(), Some(&Told::Configure(LegId(2), Epoch(1), Direction::SendRecv, to)));
}

#[tokio::test]
async fn a_late_offer_is_settled_by_the_ack() {
    let mut w = world();
    assert!(answered(&w.call_with(1, "1000", "").await).contains("m=audio"));
    assert_eq!(w.media.told(), [Told::Open(LegId(1))]);
    let body = Bytes::from(offer("sendrecv"));
    w.events.send(Event::Confirmed { invite: InviteId(1), body }).await.unwrap();
    answered(&w.call(2, "1000").await);
    assert!(matches!(w.media.told()[1], Told::Configure(LegId(1), Epoch(1), Direction::SendRecv, _)));
}

#[tokio::test]
async fn a_stream_that_the_peer_rejects_is_stopped_and_the_call_goes_on() {
    let mut w = world();
    w.call(1, "1000").await;
    w.events.send(Event::ReInvite { invite: InviteId(1), request: invitation("1000", "") }).await.unwrap();
    assert!(answered(&w.commands.recv().await.unwrap()).contains("m=audio 20002"));
    let body = Bytes::from(offer("sendrecv").replace("audio 4000", "audio 0"));
    w.events.send(Event::Confirmed { invite: InviteId(1), body }).await.unwrap();
    // What comes next shows that the call lives, and that all of before is done.
    let request = invitation("1000", &offer("sendrecv"));
    w.events.send(Event::ReInvite { invite: InviteId(1), request }).await.unwrap();
    assert!(answered(&w.commands.recv().await.unwrap()).contains("a=sendrecv"));
    let to = Attachment::Conference(ConferenceId(1));
    let expected = [
        Told::Configure(LegId(1), Epoch(2), Direction::Inactive, to),
        Told::Configure(LegId(1), Epoch(3), Direction::SendRecv, to),
    ];
    assert_eq!(w.media.told()[2..], expected);
}

#[tokio::test]
async fn stopping_hangs_up_every_call_and_ends_when_they_are_gone() {
    let mut w = world();
    w.call(1, "1000").await;
    w.call(2, "echo").await;
    drop(w.stop.take());
    for _ in 0..2 {
        let Some(Command::Bye { invite, .. }) = w.commands.recv().await else { panic!("no BYE") };
        w.media_closed(LegId(invite.0)).await;
        w.end(invite.0, EndCause::Local).await;
    }
    assert!(w.stopped().await.is_empty());
}

/// What this thread logs, in lines.
#[derive(Clone, Default)]
struct Logged(Arc<Mutex<Vec<u8>>>);

impl Logged {
    fn begin() -> (Self, tracing::subscriber::DefaultGuard) {
        let logged = Logged::default();
        let writer = logged.clone();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_writer(move || writer.clone()).finish();
        (logged, tracing::subscriber::set_default(subscriber))
    }

    /// The records of calls.
    fn records(&self) -> Vec<String> {
        let text = String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        text.lines().filter(|line| line.contains("call ended")).map(ToOwned::to_owned).collect()
    }
}

impl std::io::Write for Logged {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn peers_that_never_confirm_do_not_hold_up_the_stop_and_have_their_records() {
    let (logged, _guard) = Logged::begin();
    let mut w = world();
    w.call(1, "1000").await;
    w.call(2, "echo").await;
    w.media_closed(LegId(2)).await;
    let rest = w.stopped().await;
    assert!(matches!(rest[..], [Command::Bye { .. }, Command::Bye { .. }]), "{rest:?}");
    let records = logged.records();
    assert_eq!(records.len(), 2, "{records:?}");
    for record in records {
        assert!(record.contains("INFO") && record.contains("the server is shutting down"), "{record}");
    }
}

#[tokio::test(start_paused = true)]
async fn calls_that_are_up_when_signalling_dies_have_their_records() {
    let (logged, _guard) = Logged::begin();
    let mut w = world();
    w.call(1, "1000").await;
    w.call(2, "1001").await;
    let World { media, media_events, events, control, stop: _stop, .. } = w;
    drop(events);
    while media.told().iter().filter(|told| matches!(told, Told::Close(_))).count() < 2 {
        tokio::task::yield_now().await;
    }
    // One leg says its last figures, the other is waited for no longer than peers are.
    let closed = MediaEvent::Closed { leg: LegId(1), report: Box::default() };
    media_events.send(closed).await.unwrap();
    control.await.unwrap();
    let records = logged.records();
    assert_eq!(records.len(), 2, "{records:?}");
    for record in records {
        assert!(record.contains("ERROR") && record.contains("signalling has ended"), "{record}");
    }
}

#[tokio::test]
async fn more_calls_than_allowed_are_asked_to_come_back() {
    let mut w = world_with(FakeMedia::default(), "[sip]\nmax_calls = 1\n");
    answered(&w.call(1, "1000").await);
    let command = w.call(2, "1001").await;
    assert_eq!(refused(&command), 503);
    let Command::Reject { headers, .. } = command else { unreachable!() };
    assert!(headers.get(&HeaderName::RetryAfter).is_some());
}
