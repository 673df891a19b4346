use std::time::Duration;

use tandem_base::{MediaTimeout, MediaTimeouts, Time};

/// Tells when a peer has been silent for too long.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    limits: MediaTimeouts,
    began: Time,
    configured: Time,
    rtp: Option<Time>,
    rtcp: Option<Time>,
    receiving: bool,
    told: bool,
}

impl Patience {
    /// The leg was configured at `now`; `receiving`: the peer should send.
    pub fn new(limits: MediaTimeouts, receiving: bool, now: Time) -> Self {
        Patience { limits, began: now, configured: now, rtp: None, rtcp: None, receiving, told: false }
    }

    /// It was configured anew.
    pub fn configure(&mut self, receiving: bool, now: Time) {
        // Whoever comes back from hold without ever having sent is given the time of a set-up once more.
        if receiving && !self.receiving && self.rtp.is_none() {
            self.began = now;
        }
        self.configured = now;
        self.receiving = receiving;
        self.told = false;
    }

    /// An RTP packet was accepted.
    pub fn heard_rtp(&mut self, at: Time) {
        self.rtp = self.rtp.max(Some(at));
        self.told = false;
    }

    /// An RTCP packet was accepted.
    pub fn heard_rtcp(&mut self, at: Time) {
        self.rtcp = self.rtcp.max(Some(at));
        // While the peer should send, reports are no sign that it does.
        self.told &= self.receiving;
    }

    fn situation(&self) -> (MediaTimeout, Time, Duration) {
        let latest = |heard: Option<Time>| heard.map_or(self.configured, |at| at.max(self.configured));
        match (self.receiving, self.rtp) {
            (true, None) => (MediaTimeout::Setup, self.began, self.limits.setup),
            (true, Some(_)) => (MediaTimeout::Talk, latest(self.rtp), self.limits.talk),
            (false, _) => (MediaTimeout::Hold, latest(self.rtp.max(self.rtcp)), self.limits.hold),
        }
    }

    /// The time-out that is due at `now`, once per occurrence.
    pub fn expired(&mut self, now: Time) -> Option<MediaTimeout> {
        let (kind, since, limit) = self.situation();
        if self.told || limit.is_zero() || now < since + limit {
            return None;
        }
        self.told = true;
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: MediaTimeouts = MediaTimeouts {
        setup: Duration::from_secs(10),
        talk: Duration::from_secs(30),
        hold: Duration::from_secs(60),
    };

    fn at(seconds: u64) -> Time {
        Time::from_millis(seconds * 1_000)
    }

    #[test]
    fn nothing_ever_came() {
        let mut p = Patience::new(LIMITS, true, at(5));
        assert_eq!(p.expired(at(14)), None);
        assert_eq!(p.expired(at(15)), Some(MediaTimeout::Setup));
        assert_eq!(p.expired(at(16)), None, "told once");
    }

    #[test]
    fn it_came_and_stopped() {
        let mut p = Patience::new(LIMITS, true, at(0));
        p.heard_rtp(at(3));
        p.heard_rtcp(at(20));
        assert_eq!(p.expired(at(32)), None);
        assert_eq!(p.expired(at(33)), Some(MediaTimeout::Talk));
        p.heard_rtcp(at(34));
        assert_eq!(p.expired(at(40)), None, "a report is no sound");
        p.heard_rtp(at(41));
        assert_eq!(p.expired(at(71)), Some(MediaTimeout::Talk), "another occurrence");
    }

    #[test]
    fn reports_are_enough_while_held() {
        let mut p = Patience::new(LIMITS, true, at(0));
        p.heard_rtp(at(1));
        p.configure(false, at(20));
        p.heard_rtcp(at(60));
        assert_eq!(p.expired(at(119)), None);
        assert_eq!(p.expired(at(120)), Some(MediaTimeout::Hold));
        p.configure(true, at(121));
        assert_eq!(p.expired(at(150)), None, "resuming begins anew");
        assert_eq!(p.expired(at(151)), Some(MediaTimeout::Talk));
    }

    #[test]
    fn zero_is_for_ever() {
        let never = MediaTimeouts { setup: Duration::ZERO, talk: Duration::ZERO, hold: Duration::ZERO };
        let mut p = Patience::new(never, true, at(0));
        assert_eq!(p.expired(Time::NEVER), None);
    }
}
