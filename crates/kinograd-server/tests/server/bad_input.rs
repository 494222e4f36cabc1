//! Bad input gets one clear answer, and the server goes on.

use serde_json::{Value, json};

use crate::support::{get, message, post, raw, request, walker};

/// Changes one place of a request.
fn with(base: &Value, pointer: &str, value: Value) -> Value {
    let mut body = base.clone();
    match body.pointer_mut(pointer) {
        Some(place) => *place = value,
        None => {
            let (parent, key) = pointer.rsplit_once('/').unwrap();
            body.pointer_mut(parent).unwrap()[key] = value;
        }
    }
    body
}

#[test]
fn what_is_wrong_is_named() {
    let (server, counts) = walker(|_| {});
    let address = server.address();
    let base = request(address, "a person walks");
    let path = |frames: Value, places: Value| json!([{"type": "root_path", "frames": frames, "positions_xz": places}]);
    let two = json!([[0, 0], [1, 1]]);
    let rotations = json!({"left_elbow": [0, 0, 0, 1]});
    let cases = [
        (json!([]), 422, "schema_validation", "an object is expected"),
        (json!({}), 422, "schema_validation", "protocol_version"),
        (
            with(&base, "/protocol_version", json!(1.0)),
            422,
            "schema_validation",
            "protocol_version",
        ),
        (
            with(&base, "/protocol_version", json!("one")),
            422,
            "schema_validation",
            "protocol_version",
        ),
        (
            with(&base, "/protocol_version", json!("2.0")),
            400,
            "version_unsupported",
            "2.0",
        ),
        (
            with(&base, "/model", json!("kimodo")),
            400,
            "unknown_model",
            "kimodo",
        ),
        (
            with(&base, "/further", json!(1)),
            422,
            "schema_validation",
            "further",
        ),
        (
            with(&base, "/segments", json!([])),
            422,
            "schema_validation",
            "segments or constraints",
        ),
        (
            with(&base, "/segments", json!("walk")),
            422,
            "schema_validation",
            "segments",
        ),
        (
            with(&base, "/segments/0/type", json!("video_reference")),
            400,
            "unsupported_segment",
            "video_reference",
        ),
        (
            with(&base, "/segments/0/type", json!("dance")),
            422,
            "schema_validation",
            "segments.0.type",
        ),
        (
            with(&base, "/segments/0/prompt", json!("")),
            422,
            "schema_validation",
            "segments.0.prompt",
        ),
        (
            with(&base, "/segments/0/prompt", json!("a".repeat(1001))),
            400,
            "invalid_options",
            "1001",
        ),
        (
            with(&base, "/segments/0/duration_frames", json!(0)),
            422,
            "schema_validation",
            "duration_frames",
        ),
        (
            with(&base, "/segments/0/duration_frames", json!(-4)),
            422,
            "schema_validation",
            "-4",
        ),
        (
            with(&base, "/segments/0/duration_frames", json!(2.5)),
            422,
            "schema_validation",
            "2.5",
        ),
        (
            with(&base, "/segments/0/duration_frames", json!(201)),
            400,
            "invalid_options",
            "max_duration_seconds",
        ),
        (
            with(&base, "/segments/0/duration_frames", json!(u64::MAX)),
            400,
            "invalid_options",
            "max_duration_seconds",
        ),
        (
            with(&base, "/duration_frames", json!(40)),
            422,
            "schema_validation",
            "duration_frames",
        ),
        (
            with(&base, "/timing", json!({"fps": 0})),
            422,
            "schema_validation",
            "timing.fps",
        ),
        (
            with(&base, "/timing", json!({"fps": 1e9})),
            400,
            "invalid_options",
            "frames per second",
        ),
        (
            with(&base, "/options", json!({"num_samples": 17})),
            422,
            "schema_validation",
            "num_samples",
        ),
        (
            with(&base, "/options", json!({"diffusion_steps": 501})),
            422,
            "schema_validation",
            "diffusion_steps",
        ),
        (
            with(
                &base,
                "/options",
                json!({"guidance": {"type": "regular", "weight": []}}),
            ),
            422,
            "schema_validation",
            "guidance",
        ),
        (
            with(
                &base,
                "/options",
                json!({"guidance": {"type": "regular", "weight": [1e9]}}),
            ),
            400,
            "invalid_request",
            "cfg",
        ),
        (
            with(&base, "/options", json!({"sampler": "ddim"})),
            422,
            "schema_validation",
            "sampler",
        ),
        (
            with(&base, "/options", json!({"model_options": {"twist": 1}})),
            400,
            "invalid_options",
            "model_options",
        ),
        (
            with(&base, "/constraints", path(json!([0, 40]), two.clone())),
            400,
            "frame_out_of_range",
            "40",
        ),
        (
            with(&base, "/constraints", path(json!([-1, 4]), two.clone())),
            400,
            "frame_out_of_range",
            "-1",
        ),
        (
            with(&base, "/constraints", path(json!([4, 4]), two.clone())),
            422,
            "schema_validation",
            "ascend",
        ),
        (
            with(&base, "/constraints", path(json!([4]), two)),
            422,
            "schema_validation",
            "positions_xz",
        ),
        (
            with(&base, "/constraints", path(json!([]), json!([]))),
            422,
            "schema_validation",
            "frames",
        ),
        (
            with(
                &base,
                "/constraints",
                json!([{"type": "ground_height", "points": []}]),
            ),
            400,
            "unsupported_constraint",
            "ground_height",
        ),
        (
            with(
                &base,
                "/constraints",
                json!([{"type": "effector_target", "joint": "tail", "frames": [3], "positions": [[0, 1, 1]]}]),
            ),
            400,
            "unknown_joint",
            "tail",
        ),
        (
            with(
                &base,
                "/constraints",
                json!([{"type": "effector_target", "joint": "head", "frames": [3], "positions": [[0, 1e30, 1]]}]),
            ),
            400,
            "invalid_request",
            "position_m",
        ),
        (
            with(
                &base,
                "/constraints",
                json!([{"type": "pose_keyframe", "frame": 50, "joint_rotations": rotations}]),
            ),
            400,
            "frame_out_of_range",
            "50",
        ),
        (
            with(
                &base,
                "/constraints",
                json!([{"type": "pose_keyframe", "frame": 5, "joint_rotations": {}}]),
            ),
            422,
            "schema_validation",
            "joint_rotations",
        ),
        (
            with(&base, "/x_kinograd", json!({"method": "hope"})),
            422,
            "schema_validation",
            "x_kinograd",
        ),
        (
            with(&base, "/skeleton/joints", json!([])),
            400,
            "invalid_skeleton",
            "0 names",
        ),
        (
            with(&base, "/skeleton/joints/1/parent", json!("tail")),
            400,
            "invalid_skeleton",
            "tail",
        ),
        (
            with(&base, "/skeleton/joints/1/parent", json!(null)),
            400,
            "invalid_skeleton",
            "root alone",
        ),
        (
            with(&base, "/skeleton/joints/1/name", json!("pelvis")),
            400,
            "invalid_skeleton",
            "twice",
        ),
        (
            with(&base, "/skeleton/joints/1/name", json!("a".repeat(129))),
            422,
            "schema_validation",
            "129",
        ),
        (
            with(
                &base,
                "/skeleton/joints/1/rest_translation",
                json!([0, 1e30, 0]),
            ),
            400,
            "invalid_skeleton",
            "rest_translation",
        ),
        (
            with(&base, "/skeleton/units", json!("feet")),
            422,
            "schema_validation",
            "meters",
        ),
        (
            with(
                &base,
                "/skeleton",
                json!({"joints": [{"name": "stick", "rest_translation": [0, 1, 0], "rest_rotation": [0, 0, 0, 1]}]}),
            ),
            400,
            "retargeting_unsupported",
            "no humanoid",
        ),
        (
            json!({"protocol_version": "1.0", "requests": []}),
            422,
            "schema_validation",
            "requests",
        ),
        (
            json!({"protocol_version": "1.0", "requests": vec![1; 17]}),
            400,
            "invalid_options",
            "16",
        ),
    ];
    for (body, status, code, part) in cases {
        let answer = post(address, &[], &body);
        let error = answer.json()["error"].clone();
        let said = error["message"].as_str().unwrap().to_owned();
        assert_eq!(
            (answer.status, error["code"].as_str()),
            (status, Some(code)),
            "{said}"
        );
        assert!(said.contains(part), "`{said}` does not name {part}");
        assert!(error["details"].is_object());
    }
    assert_eq!(counts.begun.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_eq!(post(address, &[], &base).status, 200);
}

#[test]
fn bodies_that_are_no_requests_are_refused() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let json_type = ["Content-Type: application/json"];
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let latin = b"{\"model\": \"\xe9\"}".to_vec();
    for (body, part) in [
        (&b"{"[..], "EOF"),
        (b"{\"a\": NaN}", "expected value"),
        (b"{\"a\": 1e999}", "out of range"),
        (deep.as_bytes(), "recursion limit"),
        (&latin, "unicode"),
    ] {
        let answer = raw(
            address,
            &message(address, "POST /generate", &json_type, body),
        );
        let said = answer.json()["error"]["message"]
            .as_str()
            .unwrap()
            .to_owned();
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (422, "schema_validation")
        );
        assert!(said.contains(part), "{said}");
    }
    let form = ["Content-Type: text/plain"];
    assert_eq!(
        raw(address, &message(address, "POST /generate", &form, b"{}")).status,
        415
    );
    let other = [
        "Content-Type: application/json",
        "Origin: https://elsewhere.example",
    ];
    assert_eq!(
        raw(address, &message(address, "POST /generate", &other, b"{}")).status,
        403
    );
    assert_eq!(
        raw(address, &message(address, "DELETE /generate", &[], b"")).status,
        405
    );
    assert_eq!(get(address, "/../etc/passwd").status, 404);
    let strange = raw(
        address,
        b"GET / HTTP/1.1\r\nHost: elsewhere.example\r\nConnection: close\r\n\r\n",
    );
    assert_eq!(
        (strange.status, strange.code().as_str()),
        (403, "forbidden")
    );
}

#[test]
fn bodies_that_are_too_large_are_refused_unread() {
    let (server, _) = walker(|config| config.limits.body_bytes = 1000);
    let address = server.address();
    let head = format!(
        "POST /generate HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\nContent-Type: application/json\r\n"
    );
    let declared = raw(
        address,
        format!("{head}Content-Length: 99999999999\r\n\r\n").as_bytes(),
    );
    assert_eq!(
        (declared.status, declared.code().as_str()),
        (413, "payload_too_large")
    );
    assert_eq!(
        declared.json()["error"]["details"]["max_request_bytes"],
        1000
    );
    let chunk = format!(
        "{head}Transfer-Encoding: chunked\r\n\r\n7d0\r\n{}\r\n0\r\n\r\n",
        "a".repeat(2000)
    );
    assert_eq!(raw(address, chunk.as_bytes()).status, 413);
}

#[test]
fn a_fault_of_the_generator_is_one_answer() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    for prompt in ["panic", "fail", "panic"] {
        let answer = post(address, &[], &request(address, prompt));
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (500, "internal_error")
        );
    }
    assert_eq!(
        post(address, &[], &request(address, "a person walks")).status,
        200
    );
}
