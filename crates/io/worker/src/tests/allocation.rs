//! The tick allocates nothing.
use allocation_counter::measure;
use tandem_base::{AudioFormat, SrtpSuite};

use super::secrecy::encrypt;
use super::stage::{OPUS, conference};

#[test]
fn a_conference_of_twenty_ticks_without_allocating() {
    let mut stage = conference();
    for n in 0..20u16 {
        let format = [AudioFormat::Pcmu, AudioFormat::G722, OPUS, AudioFormat::Pcma][usize::from(n % 4)];
        let ptime = [20, 20, 20, 30, 60, 10][usize::from(n % 6)];
        stage.join(format, ptime, (n % 5 == 0).then_some(400.0 + 90.0 * f64::from(n)));
        // Some are encrypted, and by each kind of suite.
        match n % 3 {
            0 => {}
            1 => encrypt(&mut stage, usize::from(n), SrtpSuite::AesCm128HmacSha1_80, 1),
            _ => encrypt(&mut stage, usize::from(n), SrtpSuite::AeadAes256Gcm, 1),
        }
    }
    stage.run(50);
    stage.run_measured(300, |step| {
        let allocations = measure(step);
        assert_eq!(allocations.count_total, 0, "allocations in one step");
    });
    assert!(stage.tally.packets_out > 300 * 15);
}
