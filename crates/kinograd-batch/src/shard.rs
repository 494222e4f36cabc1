//! Which of several processes does what.

use std::str::FromStr;

use sha2::{Digest, Sha256};

use crate::BatchError;

/// One of several processes that share the tasks of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shard {
    index: u32,
    count: u32,
}

/// Most processes of one batch.
const MAX_SHARDS: u32 = 1_000_000;

impl Shard {
    /// The only process.
    pub const WHOLE: Self = Self { index: 0, count: 1 };

    /// Process `index`, from 0, of `count`.
    ///
    /// # Errors
    /// [`BatchError::Shard`] if there is no such process.
    pub fn new(index: u32, count: u32) -> Result<Self, BatchError> {
        if index < count && count <= MAX_SHARDS {
            return Ok(Self { index, count });
        }
        Err(BatchError::Shard(format!(
            "{index}/{count}: the first number counts from 0 and is below the second, which is at most \
             {MAX_SHARDS}"
        )))
    }

    /// What the scheduler that started this process says: `KINOGRAD_SHARD` (`I/N`), a Slurm array, or a
    /// Kubernetes indexed Job, whose number of completions must be in `KINOGRAD_SHARDS`.
    ///
    /// # Errors
    /// [`BatchError::Shard`] if none of them is there, or one is broken.
    pub fn of_environment() -> Result<Self, BatchError> {
        Self::of_variables(|name| std::env::var(name).ok())
    }

    fn of_variables(get: impl Fn(&str) -> Option<String>) -> Result<Self, BatchError> {
        let number = |name: &str, default: Option<u32>| match get(name) {
            None => default.ok_or_else(|| BatchError::Shard(format!("{name} is not set"))),
            Some(text) => text
                .trim()
                .parse()
                .map_err(|_| BatchError::Shard(format!("{name} = `{text}` is no number"))),
        };
        if let Some(text) = get("KINOGRAD_SHARD") {
            return text.parse();
        }
        if get("SLURM_ARRAY_TASK_ID").is_some() {
            let first = number("SLURM_ARRAY_TASK_MIN", Some(0))?;
            let step = number("SLURM_ARRAY_TASK_STEP", Some(1))?.max(1);
            let id = number("SLURM_ARRAY_TASK_ID", None)?;
            let below =
                || BatchError::Shard(format!("SLURM_ARRAY_TASK_ID = {id} is below {first}"));
            let index = id.checked_sub(first).ok_or_else(below)? / step;
            return Self::new(index, number("SLURM_ARRAY_TASK_COUNT", None)?);
        }
        if get("JOB_COMPLETION_INDEX").is_some() {
            let index = number("JOB_COMPLETION_INDEX", None)?;
            return Self::new(index, number("KINOGRAD_SHARDS", None)?);
        }
        Err(BatchError::Shard(
            "auto: none of KINOGRAD_SHARD (I/N), SLURM_ARRAY_TASK_ID and JOB_COMPLETION_INDEX is set"
                .to_owned(),
        ))
    }

    /// Which process this is, from 0.
    #[must_use]
    pub fn index(self) -> u32 {
        self.index
    }

    /// How many there are.
    #[must_use]
    pub fn count(self) -> u32 {
        self.count
    }

    /// Whether the task of this id is this process's.
    #[must_use]
    pub fn has(self, id: &str) -> bool {
        let [first, _] = halves(id);
        first % u64::from(self.count) == u64::from(self.index)
    }
}

impl FromStr for Shard {
    type Err = BatchError;

    fn from_str(text: &str) -> Result<Self, BatchError> {
        let numbers = text.split_once('/').and_then(|(index, count)| {
            Some((index.trim().parse().ok()?, count.trim().parse().ok()?))
        });
        let (index, count) = numbers.ok_or_else(|| {
            BatchError::Shard(format!("`{text}`: expected I/N, such as 0/8, or auto"))
        })?;
        Self::new(index, count)
    }
}

/// Two independent numbers of an id: the one that names its shard, and one for its seed.
fn halves(id: &str) -> [u64; 2] {
    let digest = Sha256::digest(id.as_bytes());
    let number = |from: usize| {
        digest
            .iter()
            .skip(from)
            .take(8)
            .fold(0, |number, byte| (number << 8) | u64::from(*byte))
    };
    [number(0), number(8)]
}

/// A number of a text.
pub(crate) fn hash_of(text: &str) -> u64 {
    halves(text)[0]
}

/// The seed of a task that states none; every JSON reader holds it exactly.
pub(crate) fn seed_of(id: &str) -> u64 {
    halves(id)[1] >> 11
}

/// What stands for an id where millions are remembered.
pub(crate) fn fingerprint(id: &str) -> u128 {
    let [high, low] = halves(id);
    (u128::from(high) << 64) | u128::from(low)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_has_one_shard() {
        for count in [1, 2, 3, 7] {
            let mut sizes = vec![0_u32; count as usize];
            for id in 0..2_000 {
                let id = format!("task-{id}");
                let owners: Vec<u32> = (0..count)
                    .filter(|index| Shard::new(*index, count).unwrap().has(&id))
                    .collect();
                assert_eq!(owners.len(), 1, "{id} of {count}");
                sizes[owners[0] as usize] += 1;
            }
            let mean = 2_000 / count;
            assert!(
                sizes.iter().all(|size| size.abs_diff(mean) < mean / 5),
                "{sizes:?}"
            );
        }
    }

    #[test]
    fn seeds_are_those_of_sha256() {
        // printf walk-1 | sha256sum
        let digest = kinograd::runtime::sha256_hex(b"walk-1");
        let low = u64::from_str_radix(&digest[16..32], 16).unwrap();
        assert_eq!(seed_of("walk-1"), low >> 11);
    }

    #[test]
    fn schedulers_name_the_shard() {
        let of = |set: &[(&str, &str)]| {
            let set: std::collections::BTreeMap<_, _> = set.iter().copied().collect();
            Shard::of_variables(|name| set.get(name).map(|text| (*text).to_owned()))
        };
        let slurm = [
            ("SLURM_ARRAY_TASK_ID", "5"),
            ("SLURM_ARRAY_TASK_MIN", "1"),
            ("SLURM_ARRAY_TASK_STEP", "2"),
            ("SLURM_ARRAY_TASK_COUNT", "4"),
        ];
        assert_eq!(of(&slurm).unwrap(), Shard { index: 2, count: 4 });
        let kubernetes = [("JOB_COMPLETION_INDEX", "3"), ("KINOGRAD_SHARDS", "8")];
        assert_eq!(of(&kubernetes).unwrap(), Shard { index: 3, count: 8 });
        assert_eq!(
            of(&[("KINOGRAD_SHARD", "1/2")]).unwrap(),
            Shard { index: 1, count: 2 }
        );
        for bad in [
            &[][..],
            &[("KINOGRAD_SHARD", "2/2")],
            &[("JOB_COMPLETION_INDEX", "0")],
            &[
                ("SLURM_ARRAY_TASK_ID", "x"),
                ("SLURM_ARRAY_TASK_COUNT", "2"),
            ],
        ] {
            assert!(of(bad).is_err(), "{bad:?}");
        }
    }
}
