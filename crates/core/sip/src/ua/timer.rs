//! Session timers (RFC 4028): a call that nobody refreshes any more is over, whatever its media say.

use std::time::Duration;

use tandem_base::Time;

use crate::token::{number, trim};
use crate::{HeaderName, Headers, Method, Params, Request, Response, StatusCode};

use super::agent::UserAgent;
use super::context::Context;
use super::inspect::{Refusal, names_option};
use super::usage::{Exchange, Offer, Stage, Updating, Usage};
use super::{EndCause, Event, InviteId, Limits};

/// The least that anybody may ask for, in seconds (§4).
const LEAST: u32 = 90;
/// How long a refresh that could not be made now is put off.
const PUT_OFF: Duration = Duration::from_secs(5);
/// How often 422 is heeded in one request.
pub(super) const MOST_RAISES: u8 = 3;

/// Who refreshes, as seen from the request that carries the header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Role {
    Uac,
    Uas,
}

/// `Session-Expires` (§4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct SessionExpires {
    seconds: u32,
    refresher: Option<Role>,
}

impl SessionExpires {
    /// `None` where it breaks the grammar. A number too large to hold is taken as the largest.
    fn parse(text: &str) -> Option<Self> {
        let (seconds, params) = text.split_once(';').unwrap_or((text, ""));
        let seconds: u128 = number(trim(seconds))?;
        let params = Params::parse(params)?;
        let refresher = params.get("refresher").and_then(|role| match role {
            role if role.eq_ignore_ascii_case("uac") => Some(Role::Uac),
            role if role.eq_ignore_ascii_case("uas") => Some(Role::Uas),
            _ => None,
        });
        Some(SessionExpires { seconds: u32::try_from(seconds).unwrap_or(u32::MAX), refresher })
    }

    /// Absent or unreadable ones ask for nothing.
    fn of(headers: &Headers) -> Option<Self> {
        Self::parse(headers.text(&HeaderName::SessionExpires)?)
    }
}

/// `Min-SE` (§5) where it is there and readable.
fn min_se(headers: &Headers) -> Option<u32> {
    let text = headers.text(&HeaderName::MinSe)?;
    number(trim(text.split(';').next()?))
}

/// Does this side know session timers?
fn knows_timers(headers: &Headers) -> bool {
    [HeaderName::Supported, HeaderName::Require].iter().any(|name| names_option(headers, name, "timer"))
}

/// A session timer that runs in a usage.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct SessionTimer {
    interval: Duration,
    ours: bool,
    /// When to refresh; none where the peer does.
    refresh: Option<Time>,
    /// When to hang up.
    end: Time,
}

impl SessionTimer {
    /// §10: refresh at half the interval; hang up before its end by a third of it, at most 32 s.
    fn start(seconds: u32, ours: bool, now: Time) -> Self {
        let interval = Duration::from_secs(u64::from(seconds));
        let margin = Duration::from_secs(32).min(interval / 3);
        let refresh = ours.then(|| now + interval / 2);
        SessionTimer { interval, ours, refresh, end: now + interval.saturating_sub(margin) }
    }

    /// When something is due.
    pub fn deadline(&self) -> Time {
        self.refresh.map_or(self.end, |refresh| refresh.min(self.end))
    }
}

/// What a request says of session timers, kept until it is answered.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wish {
    asked: Option<SessionExpires>,
    least: u32,
    known: bool,
}

impl Wish {
    pub fn of(headers: &Headers) -> Self {
        Wish {
            asked: SessionExpires::of(headers),
            least: min_se(headers).unwrap_or(0),
            known: knows_timers(headers),
        }
    }

    /// §9: the interval in seconds and who refreshes; `None` for no timer.
    fn agree(&self, limits: &Limits) -> Option<(u32, Role)> {
        let (expires, least) = limits.session_seconds()?;
        if !self.known && self.asked.is_none() {
            return None;
        }
        let most = expires.max(least).max(self.least);
        let seconds = self.asked.map_or(most, |asked| asked.seconds.min(most).max(LEAST));
        // §9, table 2: a caller that knows nothing of timers cannot refresh.
        let role = match self.known {
            true => self.asked.and_then(|asked| asked.refresher).unwrap_or(Role::Uac),
            false => Role::Uas,
        };
        Some((seconds, role))
    }
}

impl Limits {
    /// Session-Expires and Min-SE that we want, in seconds; `None` where timers are off.
    pub(super) fn session_seconds(&self) -> Option<(u32, u32)> {
        let seconds = |duration: Duration| u32::try_from(duration.as_secs()).unwrap_or(u32::MAX);
        let least = seconds(self.min_session_expires).max(LEAST);
        (!self.session_expires.is_zero()).then(|| (seconds(self.session_expires).max(least), least))
    }
}

impl UserAgent {
    /// §9: too short a session is refused where the caller can do something about it.
    pub(super) fn inspect_timer(&self, request: &Request) -> Result<(), Refusal> {
        let headers = &request.headers;
        if !matches!(request.method, Method::Invite | Method::Update)
            || !headers.has(&HeaderName::SessionExpires)
        {
            return Ok(());
        }
        let Some((_, least)) = self.config.limits.session_seconds() else { return Ok(()) };
        let Some(asked) = SessionExpires::of(headers) else {
            return Err(Refusal::new(StatusCode::BAD_REQUEST));
        };
        if asked.seconds >= least || !knows_timers(headers) {
            return Ok(());
        }
        Err(Refusal::new(StatusCode::SESSION_INTERVAL_TOO_SMALL).with(HeaderName::MinSe, least.to_string()))
    }

    /// §7.1, §7.4: what our INVITE or UPDATE says. `usage` is none for the first INVITE.
    pub(super) fn ask_for_timer(&self, headers: &mut Headers, usage: Option<&Usage>) {
        let Some((expires, least)) = self.config.limits.session_seconds() else { return };
        let raised = usage.map_or(0, |usage| usage.least_interval);
        let least = least.max(raised);
        let text = match usage.map(|usage| &usage.timer) {
            None => expires.to_string(),
            Some(Some(timer)) => {
                // §7.4: a refresh leaves the roles as they are; we are its caller.
                let role = if timer.ours { "uac" } else { "uas" };
                format!("{};refresher={role}", timer.interval.as_secs().max(u64::from(raised)))
            }
            // The peer wants none.
            Some(None) => return,
        };
        headers.push(HeaderName::SessionExpires, text);
        if least > LEAST {
            headers.push(HeaderName::MinSe, least.to_string());
        }
    }

    /// §9: what our 2xx says. Starts the timer.
    pub(super) fn grant_timer(&mut self, id: InviteId, wish: &Wish, response: &mut Response, now: Time) {
        let agreed = wish.agree(&self.config.limits);
        let Some(usage) = self.usages.get_mut(&id) else { return };
        usage.timer = agreed.map(|(seconds, role)| SessionTimer::start(seconds, role == Role::Uas, now));
        let Some((seconds, role)) = agreed else { return };
        let text = if role == Role::Uac { "uac" } else { "uas" };
        response.headers.push(HeaderName::SessionExpires, format!("{seconds};refresher={text}"));
        if wish.known {
            response.headers.push(HeaderName::Require, "timer");
        }
    }

    /// §7.2: what the 2xx to our INVITE or UPDATE says. Starts the timer.
    pub(super) fn take_timer(&mut self, id: InviteId, headers: &Headers, now: Time) {
        let Some((_, least)) = self.config.limits.session_seconds() else { return };
        let Some(usage) = self.usages.get_mut(&id) else { return };
        usage.timer = SessionExpires::of(headers).map(|granted| {
            // Less than we let pass would have us refresh without end.
            SessionTimer::start(granted.seconds.max(least), granted.refresher != Some(Role::Uas), now)
        });
    }

    /// 422: asks again for as long as the peer wants (§7.4). `None` where that cannot be.
    pub(super) fn raise(&mut self, id: InviteId, response: &Response) -> Option<()> {
        let least = min_se(&response.headers)?;
        let usage = self.usages.get_mut(&id)?;
        let fits = least > usage.least_interval && usage.raises < MOST_RAISES;
        fits.then(|| {
            usage.least_interval = least;
            usage.raises += 1;
        })
    }

    /// It is time to refresh, or to give up.
    pub(super) fn timer_due(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        let usage = self.usages.get_mut(&id)?;
        let timer = usage.timer.as_mut()?;
        if timer.end <= cx.now {
            self.refuse_invite(id, StatusCode::REQUEST_TERMINATED, None, &Headers::new(), cx);
            let mut headers = Headers::new();
            headers.push(HeaderName::Reason, "SIP;cause=408;text=\"session expired\"");
            self.part(id, &headers, EndCause::Expired, cx);
            return Some(());
        }
        if timer.refresh? > cx.now {
            return None;
        }
        let is_free = usage.stage == Stage::Confirmed
            && matches!(usage.exchange, Exchange::Idle)
            && matches!(usage.updating, Updating::Idle);
        // Should this refresh come to nothing, there is time for others.
        let next = if is_free { PUT_OFF.max(timer.interval / 8) } else { PUT_OFF };
        timer.refresh = Some(cx.now + next);
        if is_free {
            self.refresh(id, cx);
        }
        Some(())
    }

    /// §7.4: by UPDATE where the peer knows it, as that needs no session description.
    pub(super) fn refresh(&mut self, id: InviteId, cx: &mut Context<'_>) -> Option<()> {
        if !self.usages.get(&id)?.allows_update {
            cx.event(Event::RefreshDue { invite: id });
            return Some(());
        }
        let offer = Offer { method: Method::Update, headers: Headers::new(), body: None, refused: 0 };
        self.offer(id, Box::new(offer), cx)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn session_expires_is_read_as_others_write_it() {
        let read = |text| SessionExpires::parse(text).map(|s| (s.seconds, s.refresher));
        assert_eq!(read("1800"), Some((1_800, None)));
        assert_eq!(read(" 90 ; refresher=UAS"), Some((90, Some(Role::Uas))));
        assert_eq!(read("600;x=y;Refresher=uac"), Some((600, Some(Role::Uac))));
        assert_eq!(read("600;refresher=both"), Some((600, None)));
        assert_eq!(read("99999999999"), Some((u32::MAX, None)));
        for wrong in ["", "soon", "-1", "60;;=", "1800 s"] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn what_is_agreed_follows_table_2() {
        let limits = Limits::default();
        let agree = |asked: Option<&str>, least, known| {
            Wish { asked: asked.and_then(SessionExpires::parse), least, known }.agree(&limits)
        };
        assert_eq!(agree(None, 0, false), None);
        assert_eq!(agree(None, 0, true), Some((1_800, Role::Uac)));
        assert_eq!(agree(Some("300"), 0, true), Some((300, Role::Uac)));
        assert_eq!(agree(Some("300;refresher=uas"), 0, true), Some((300, Role::Uas)));
        assert_eq!(agree(Some("300;refresher=uac"), 0, false), Some((300, Role::Uas)));
        assert_eq!(agree(Some("7200"), 0, true), Some((1_800, Role::Uac)));
        assert_eq!(agree(Some("7200"), 3_600, true), Some((3_600, Role::Uac)));
        let off = Limits { session_expires: Duration::ZERO, ..limits };
        let wish = Wish { asked: None, least: 0, known: true };
        assert_eq!(wish.agree(&off), None);
    }
}
