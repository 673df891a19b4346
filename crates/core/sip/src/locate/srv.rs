//! The order of SRV records (RFC 2782).

use tandem_base::Entropy;

use super::Srv;

/// Records of one answer that are looked at.
const MOST_RECORDS: usize = 64;

/// Those that lead somewhere, in the order in which to try them: by priority, at random by weight within one.
pub(super) fn order(mut records: Vec<Srv>, entropy: &mut (impl Entropy + ?Sized)) -> Vec<Srv> {
    records.truncate(MOST_RECORDS);
    records.retain(|record| record.port != 0 && !is_root(&record.target));
    // Those of weight 0 first, so that they have a small chance to be chosen at all.
    records.sort_by_key(|record| (record.priority, record.weight != 0));
    let mut ordered = Vec::with_capacity(records.len());
    while let Some(priority) = records.first().map(|record| record.priority) {
        let alike = records.iter().take_while(|record| record.priority == priority).count();
        let mut group: Vec<Srv> = records.drain(..alike).collect();
        while !group.is_empty() {
            let chosen = draw(&group, entropy);
            ordered.push(group.remove(chosen));
        }
    }
    ordered
}

/// `.`: the service is decidedly not available.
pub(super) fn is_root(target: &str) -> bool {
    target.is_empty() || target == "."
}

/// The first whose running sum of weights is not below a random number from 0 to the sum of all.
fn draw(group: &[Srv], entropy: &mut (impl Entropy + ?Sized)) -> usize {
    let total: u64 = group.iter().map(|record| u64::from(record.weight)).sum();
    // The bias of the remainder is below 2^-40: at most 64 weights of 16 bits.
    let random = entropy.next_u64() % (total + 1);
    let mut sum = 0;
    let reached = group.iter().position(|record| {
        sum += u64::from(record.weight);
        sum >= random
    });
    reached.unwrap_or(0)
}
