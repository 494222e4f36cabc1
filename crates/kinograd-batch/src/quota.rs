//! How many clips of a label are enough.

use std::collections::BTreeMap;

use crate::Shard;
use crate::shard::hash_of;

/// Clips of each label that are wanted of the whole batch, and that this shard has kept.
#[derive(Debug)]
pub(crate) struct Quota {
    /// Of the whole batch.
    per_label: u64,
    shard: Shard,
    counts: BTreeMap<String, Counts>,
}

#[derive(Debug, Default, Clone, Copy)]
struct Counts {
    own: u64,
    /// What was kept when the batch had another number of shards.
    others: u64,
}

impl Quota {
    pub(crate) fn new(per_label: u64, shard: Shard) -> Self {
        Self {
            per_label,
            shard,
            counts: BTreeMap::new(),
        }
    }

    /// Counts a clip that this shard has kept.
    pub(crate) fn keep(&mut self, label: &str) {
        self.counts(label).own += 1;
    }

    /// Counts a clip that was kept when the batch had another number of shards.
    pub(crate) fn keep_others(&mut self, label: &str) {
        self.counts(label).others += 1;
    }

    /// Whether this shard needs no more clips of a label.
    pub(crate) fn is_met(&self, label: &str) -> bool {
        let counts = self.counts.get(label).copied().unwrap_or_default();
        let wanted = self.per_label.saturating_sub(counts.others);
        counts.own >= share(wanted, self.shard, label)
    }

    fn counts(&mut self, label: &str) -> &mut Counts {
        self.counts.entry(label.to_owned()).or_default()
    }
}

/// A shard's part of `wanted` clips; all shards' are `wanted` in sum. Which shards have one more depends on
/// the label, so that few clips of many labels are work for all.
fn share(wanted: u64, shard: Shard, label: &str) -> u64 {
    let (index, count) = (u64::from(shard.index()), u64::from(shard.count()));
    let place = (index + hash_of(label) % count) % count;
    wanted / count + u64::from(place < wanted % count)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_the_whole_in_sum() {
        for count in [1, 2, 3, 7, 64] {
            for wanted in [0, 1, 5, 64, 100, 1001] {
                for label in ["walk", "jog", "jump"] {
                    let shares: Vec<u64> = (0..count)
                        .map(|index| share(wanted, Shard::new(index, count).unwrap(), label))
                        .collect();
                    assert_eq!(shares.iter().sum::<u64>(), wanted, "{label}");
                    let (least, most) = (shares.iter().min(), shares.iter().max());
                    assert!(most.unwrap() - least.unwrap() <= 1, "{shares:?}");
                }
            }
        }
    }

    #[test]
    fn what_other_shards_kept_before_is_taken_off() {
        let mut quota = Quota::new(3, Shard::WHOLE);
        quota.keep_others("walk");
        quota.keep("walk");
        assert!(!quota.is_met("walk"));
        quota.keep("walk");
        assert!(quota.is_met("walk"));
        assert!(!quota.is_met("jog"));
        assert!(Quota::new(0, Shard::WHOLE).is_met("jog"));
    }
}
