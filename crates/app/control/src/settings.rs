use std::collections::BTreeMap;

use tandem_base::{MediaTimeouts, RoomAudio, SrtpPolicy};
use tandem_conference::Policy;
use tandem_config::Config;
use tandem_routing::Table;
use tandem_sdp::Capabilities;

use crate::active::Destination;

/// What control needs to know of the configuration.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Who answers to which name.
    pub table: Table,
    /// Limits of configured rooms, by name.
    pub room_policies: BTreeMap<String, Policy>,
    /// Limits of all other rooms.
    pub ad_hoc_policy: Policy,
    /// Calls at once; beyond it a call is refused with 503.
    pub max_calls: usize,
    /// How long silence on the wire is borne.
    pub timeouts: MediaTimeouts,
    /// Are media encrypted in configured rooms, by name?
    pub room_srtp: BTreeMap<String, SrtpPolicy>,
    /// In all other rooms?
    pub ad_hoc_srtp: SrtpPolicy,
    /// With the services?
    pub service_srtp: SrtpPolicy,
    /// How the audio of configured rooms is made, by name.
    pub room_audio: BTreeMap<String, RoomAudio>,
    /// That of all other rooms.
    pub ad_hoc_audio: RoomAudio,
    /// What we can do otherwise.
    pub capabilities: Capabilities,
}

impl Settings {
    /// Those of a configuration.
    pub fn new(config: &Config) -> Self {
        let policy = |max: Option<std::num::NonZeroUsize>| Policy { max_participants: max.map(Into::into) };
        let fixed = config.rooms.fixed.iter();
        Settings {
            table: config.table(),
            room_policies: fixed.map(|room| (room.name.clone(), policy(room.max_participants))).collect(),
            ad_hoc_policy: policy(config.rooms.max_participants),
            max_calls: usize::try_from(config.sip.max_calls).unwrap_or(usize::MAX),
            timeouts: config.media.timeouts,
            room_srtp: config.rooms.fixed.iter().map(|room| (room.name.clone(), room.srtp)).collect(),
            ad_hoc_srtp: config.rooms.srtp,
            service_srtp: config.services.srtp,
            room_audio: config.rooms.fixed.iter().map(|room| (room.name.clone(), room.audio)).collect(),
            ad_hoc_audio: config.rooms.audio,
            capabilities: Capabilities::default(),
        }
    }

    /// What a call to this destination can negotiate.
    pub(crate) fn capabilities(&self, to: &Destination) -> Capabilities {
        let srtp = match to {
            Destination::Room { name, .. } => self.room_srtp.get(name).copied().unwrap_or(self.ad_hoc_srtp),
            Destination::Echo | Destination::Tone => self.service_srtp,
        };
        Capabilities { srtp, ..self.capabilities.clone() }
    }

    /// How the audio at this destination is made; the services have no say in it.
    pub(crate) fn audio(&self, at: &Destination) -> RoomAudio {
        match at {
            Destination::Room { name, .. } => self.room_audio.get(name).copied().unwrap_or(self.ad_hoc_audio),
            Destination::Echo | Destination::Tone => RoomAudio::default(),
        }
    }

    pub(crate) fn policy(&self, room: &str) -> Policy {
        self.room_policies.get(room).copied().unwrap_or(self.ad_hoc_policy)
    }
}
