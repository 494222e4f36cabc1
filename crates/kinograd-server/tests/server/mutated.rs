//! Bodies with random changes: every one is answered, and the server goes on.

use kinograd_testkit::Mutator;
use serde_json::json;

use crate::support::{message, post, raw, request, walker};

/// Bodies that are tried.
const BODIES: usize = 400;

#[test]
fn changed_bodies_are_all_answered() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let mut body = request(address, "a person walks");
    body["options"] = json!({"seed": 1, "num_samples": 1});
    body["constraints"] = json!([
        {"type": "root_path", "frames": [0, 20], "positions_xz": [[0, 0], [1, 1]], "heading_radians": [0, 0.5]},
        {"type": "effector_target", "joint": "head", "frames": [9], "positions": [[0, 1.6, 1]]},
        {"type": "pose_keyframe", "frame": 30, "joint_rotations": {"pelvis": [0, 0, 0, 1]}},
    ]);
    body["x_kinograd"] = json!({
        "obstacles": [{"shape": {"kind": "circle", "center_m": [3, 1], "radius_m": 0.4}}],
        "goals": [{"kind": "root_target", "position_m": [1, 2]}],
    });
    let whole = post(address, &[], &body);
    assert_eq!(
        whole.status,
        200,
        "{}",
        String::from_utf8_lossy(&whole.body)
    );
    let parts = [
        "1e308",
        "-1",
        "null",
        "[]",
        "{}",
        "18446744073709551616",
        "\\ud800",
        "\"pelvis\"",
    ];
    let parts: Vec<Vec<u8>> = parts.iter().map(|part| part.as_bytes().to_vec()).collect();
    let body = body.to_string().into_bytes();
    let mut mutator = Mutator::new(19);
    for index in 0..BODIES {
        let changed = mutator.mutated(&body, &parts);
        let sent = message(
            address,
            "POST /generate",
            &["Content-Type: application/json"],
            &changed,
        );
        let answer = raw(address, &sent);
        // A fault of ours would be 500.
        assert!(
            [200, 400, 413, 422].contains(&answer.status),
            "{index}: {answer:?}\n{}",
            String::from_utf8_lossy(&changed)
        );
    }
}
