//! Damaged JSON and handles that nobody made: statuses, whatever they are.

use std::ffi::CString;
use std::ptr::{null_mut, without_provenance_mut};

use kinograd_capi::*;
use kinograd_testkit::Mutator;

use crate::support::{last_error, ok, repository, text};

/// Damaged tasks that each test run tries.
const TASKS: usize = 2000;
/// Numbers that are no handles.
const NUMBERS: usize = 20_000;

#[test]
fn damaged_tasks_are_refused_or_are_tasks() {
    let folder = std::fs::read_dir(repository().join("assets/scenes")).unwrap();
    let paths = folder.map(|entry| entry.unwrap().path());
    let mut paths: Vec<_> = paths
        .filter(|path| path.extension().is_some_and(|end| end == "json"))
        .collect();
    paths.sort();
    let seeds: Vec<Vec<u8>> = paths
        .iter()
        .map(|path| std::fs::read(path).unwrap())
        .collect();
    let mut mutator = Mutator::new(19);
    let (mut taken, mut refused) = (0, 0);
    for index in 0..TASKS {
        let mut json = mutator.mutated(&seeds[index % seeds.len()], &seeds);
        json.retain(|byte| *byte != 0);
        let json = CString::new(json).unwrap();
        let mut task = null_mut();
        match unsafe { kg_task_from_json(json.as_ptr(), &raw mut task) } {
            kg_status::Ok => {
                let own =
                    text(|at, capacity, size| unsafe { kg_task_to_json(task, at, capacity, size) });
                assert!(own.starts_with('{'));
                ok(kg_task_destroy(task));
                taken += 1;
            }
            kg_status::InvalidTask | kg_status::InvalidArgument | kg_status::OverBudget => {
                assert!(task.is_null() && !last_error().is_empty());
                refused += 1;
            }
            other => panic!("{other:?}: {} of {json:?}", last_error()),
        }
    }
    assert!(taken > 0 && refused > 0, "{taken} taken, {refused} refused");
}

#[test]
fn numbers_that_nobody_made_are_no_handles() {
    let mut mutator = Mutator::new(23);
    for _ in 0..NUMBERS {
        // The high half is the generation, of which this process reaches a few thousand.
        let number = mutator.below(usize::MAX) | 1 << (usize::BITS - 2);
        let mut size = 0;
        let blob = without_provenance_mut::<kg_blob>(number);
        let status = unsafe { kg_blob_size(blob, &raw mut size) };
        assert_eq!(status, kg_status::InvalidHandle, "{number:#x}");
        let clip = without_provenance_mut::<kg_clip>(number);
        assert_eq!(
            kg_clip_destroy(clip),
            kg_status::InvalidHandle,
            "{number:#x}"
        );
        let job = without_provenance_mut::<kg_job>(number);
        assert_eq!(kg_job_cancel(job), kg_status::InvalidHandle, "{number:#x}");
    }
}
