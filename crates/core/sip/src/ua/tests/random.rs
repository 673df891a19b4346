//! Any order of events: never a panic, and nothing is left at the end.

use std::time::Duration;

use proptest::prelude::*;
use tandem_testkit::Conditions;

use super::*;
use crate::HeaderName;
use crate::digest::Credentials;

#[derive(Clone, Debug)]
enum Act {
    Dial { protocol: Protocol, offer: bool },
    Ring,
    Answer,
    Reject,
    Bye,
    Cancel,
    ReInvite { offer: bool },
    Update { offer: bool },
    Ack,
    Info,
    Know,
    Challenge { stale: bool },
    Respond,
    CloseFlow,
    Wait(u64),
    Weather { loss: f64 },
}

fn act() -> impl Strategy<Value = (bool, Act)> {
    let act = prop_oneof![
        3 => (prop_oneof![Just(Protocol::Udp), Just(Protocol::Tcp)], any::<bool>())
            .prop_map(|(protocol, offer)| Act::Dial { protocol, offer }),
        2 => Just(Act::Ring),
        4 => Just(Act::Answer),
        1 => Just(Act::Reject),
        2 => Just(Act::Bye),
        1 => Just(Act::Cancel),
        3 => any::<bool>().prop_map(|offer| Act::ReInvite { offer }),
        2 => any::<bool>().prop_map(|offer| Act::Update { offer }),
        3 => Just(Act::Ack),
        1 => Just(Act::Info),
        1 => Just(Act::Know),
        1 => any::<bool>().prop_map(|stale| Act::Challenge { stale }),
        1 => Just(Act::Respond),
        1 => Just(Act::CloseFlow),
        8 => prop_oneof![0..200u64, 200..5_000u64, 5_000..40_000u64].prop_map(Act::Wait),
        1 => (0.0..0.6).prop_map(|loss| Act::Weather { loss }),
    ];
    (any::<bool>(), act)
}

/// A refusal that asks for credentials.
fn challenge(invite: InviteId, stale: bool) -> Command {
    let mut headers = Headers::new();
    let line = format!("Digest realm=\"r\", nonce=\"n\", qop=\"auth\", stale={stale}");
    headers.push(HeaderName::ProxyAuthenticate, line);
    let status = StatusCode::PROXY_AUTHENTICATION_REQUIRED;
    Command::Reject { invite, status, reason: None, headers }
}

/// A user of the two user agents who knows nothing of SIP's rules.
struct Monkey {
    world: World,
    /// Every usage ever seen, by whose it is.
    known: [Vec<InviteId>; 2],
    requests: [Vec<RequestId>; 2],
    ended: [Vec<InviteId>; 2],
    calls: u64,
}

const fn side(who: Who) -> usize {
    match who {
        Who::Alice => 0,
        Who::Bob => 1,
    }
}

impl Monkey {
    fn look(&mut self) {
        for who in [Who::Alice, Who::Bob] {
            let events: Vec<Event> = self.world.peer(who).events.drain(..).collect();
            for event in events {
                match event {
                    Event::Incoming { invite, .. } => self.known[side(who)].push(invite),
                    Event::Request { id, .. } => self.requests[side(who)].push(id),
                    Event::Ended { invite, .. } => {
                        assert!(!self.ended[side(who)].contains(&invite), "{invite} ended twice");
                        self.ended[side(who)].push(invite);
                    }
                    _ => {}
                }
            }
        }
    }

    fn act(&mut self, who: Who, act: &Act) {
        self.look();
        let own = self.known[side(who)].last().copied().unwrap_or(InviteId(1));
        let command = match act {
            Act::Dial { protocol, offer } => {
                self.calls += 1;
                let invite = InviteId::outgoing(self.calls);
                self.known[side(who)].push(invite);
                let mut call = call(*protocol, offer.then(|| sdp("offer")).flatten());
                if who == Who::Bob {
                    call.target =
                        Some(Target::Address { protocol: Protocol::Udp, remote: A.parse().unwrap() });
                }
                Command::Invite { invite, call }
            }
            Act::Ring => ring(own),
            Act::Answer => answer(own),
            Act::Reject => reject(own, 486),
            Act::Bye => bye(own),
            Act::Cancel => cancel(own),
            Act::ReInvite { offer } => reinvite(own, offer.then(|| sdp("offer")).flatten()),
            Act::Update { offer } => update(own, offer.then(|| sdp("offer")).flatten()),
            Act::Ack => Command::Ack { invite: own, body: sdp("answer") },
            Act::Info => {
                let headers = Headers::new();
                Command::Request { invite: own, method: Method::Info, headers, body: None }
            }
            Act::Know => {
                let credentials = Credentials::with_password("alice", "secret");
                Command::Authenticate { invite: own, credentials }
            }
            Act::Challenge { stale } => challenge(own, *stale),
            Act::Respond => {
                let request = self.requests[side(who)].last().copied().unwrap_or(RequestId(1));
                Command::Respond { request, status: StatusCode::OK, headers: Headers::new(), body: None }
            }
            Act::CloseFlow => return self.close_flow(),
            Act::Wait(millis) => {
                let until = self.world.now + Duration::from_millis(*millis);
                return self.world.run_until(until);
            }
            Act::Weather { loss } => {
                let rough = Conditions {
                    loss: *loss,
                    duplicate: *loss / 2.0,
                    delay: Duration::from_millis(20),
                    jitter: Duration::from_millis(300),
                    reorder: true,
                    ..Default::default()
                };
                return self.world.set_conditions(rough);
            }
        };
        self.world.command(who, command);
    }

    fn close_flow(&mut self) {
        let (alice, bob): (std::net::SocketAddr, std::net::SocketAddr) =
            ("192.0.2.1:40000".parse().unwrap(), B.parse().unwrap());
        for (who, local, remote) in [(Who::Alice, alice, bob), (Who::Bob, bob, alice)] {
            let flow = Flow { id: FlowId(7), protocol: Protocol::Tcp, local, remote };
            self.world.input(who, Input::FlowClosed(flow));
        }
    }

    /// Everybody hangs up; then nothing may be left.
    fn finish(mut self) {
        self.world.run_until(self.world.now + Duration::from_secs(1));
        for _ in 0..3 {
            self.look();
            for who in [Who::Alice, Who::Bob] {
                for invite in self.known[side(who)].clone() {
                    self.world.command(who, bye(invite));
                }
            }
            self.world.run_until(self.world.now + Duration::from_secs(400));
        }
        self.look();
        for who in [Who::Alice, Who::Bob] {
            let known = &self.known[side(who)];
            assert!(known.iter().all(|id| self.ended[side(who)].contains(id)), "{who:?} misses an end");
            let ua = &self.world.peer(who).ua;
            assert!(ua.is_idle(), "{who:?}: {ua:?}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn any_order_of_commands_ends_idle(seed in 0..1_000u64, acts in prop::collection::vec(act(), 1..60)) {
        let mut monkey = Monkey {
            world: World::new(super::world::fair(), seed),
            known: [Vec::new(), Vec::new()],
            requests: [Vec::new(), Vec::new()],
            ended: [Vec::new(), Vec::new()],
            calls: 0,
        };
        for (by_alice, act) in &acts {
            monkey.act(if *by_alice { Who::Alice } else { Who::Bob }, act);
        }
        monkey.finish();
    }
}

/// Messages of one call and of none, for mutilation.
fn texts(tag: &str) -> Vec<String> {
    use super::lone::{INVITE, plain, within};
    let mut texts = vec![INVITE.to_owned()];
    texts.extend(["OPTIONS", "BYE", "CANCEL", "ACK", "INFO", "FROBNICATE"].map(plain));
    texts.extend(["INVITE", "BYE", "ACK", "INFO", "UPDATE"].map(|method| within(method, 2, tag)));
    texts
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Whatever comes, the user agent lives, keeps nothing, and answers at most once per message.
    #[test]
    fn mutilated_messages_do_no_harm(
        picks in prop::collection::vec((0..12usize, 0..600usize, any::<u8>(), 0..4u8, any::<bool>()), 1..20),
    ) {
        use super::lone::{INVITE, Lone, PEER, tcp, udp};
        let mut lone = Lone::new();
        let (id, tag) = lone.establish(udp(PEER), INVITE);
        let texts = texts(&tag);
        for (which, at, byte, how, stream) in picks {
            let mut bytes = texts[which].replace('\n', "\r\n").into_bytes();
            let at = at % bytes.len();
            match how {
                0 => bytes[at] = byte,
                1 => bytes.truncate(at),
                2 => drop(bytes.remove(at)),
                _ => bytes.insert(at, byte),
            }
            let flow = if stream { tcp(PEER) } else { udp(PEER) };
            lone.input(Input::Received { flow, bytes: bytes.into() });
            prop_assert!(lone.sent().len() <= 2, "{:?}", lone.out);
            let new: Vec<Command> = lone.out.iter().filter_map(|output| match output {
                Output::Event(Event::Incoming { invite, .. }) => Some(reject(*invite, 486)),
                _ => None,
            }).collect();
            new.into_iter().for_each(|command| lone.command(command));
        }
        lone.command(bye(id));
        lone.assert_quiet_end();
    }
}
