//! What is asked for is answered, in the client's world and on its skeleton.

use std::f64::consts::FRAC_PI_2;

use serde_json::{Value, json};

use crate::support::{get, guarded, message, positions, post, raw, request, walker};

#[test]
fn a_prompt_comes_back_as_gltf_of_its_skeleton() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let mut body = request(address, "a person walks");
    body["timing"] = json!({"fps": 30});
    body["options"] = json!({"num_samples": 3, "seed": 1, "diffusion_steps": 5});
    let answer = post(address, &["X-Request-ID: studio-7"], &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    assert_eq!(answer.header("content-type"), Some("model/gltf+json"));
    assert_eq!(answer.header("x-request-id"), Some("studio-7"));
    let gltf = answer.json();
    assert_eq!(gltf["animations"].as_array().unwrap().len(), 3);
    let motion = &gltf["extensions"]["MMCP_motion"];
    assert_eq!(motion["fps"], 30.0);
    assert_eq!(motion["samples"][2]["name"], "sample_2");
    assert_eq!(motion["samples"][0]["num_frames"], 40);
    let contacts = &motion["samples"][0]["foot_contacts"]["left_ankle"];
    let stands = contacts.as_array().unwrap();
    assert!(stands.contains(&true.into()) && stands.contains(&false.into()));
    let trajectory = &motion["samples"][0]["trajectory"];
    assert_eq!(trajectory["position"].as_array().unwrap().len(), 40);
    assert_eq!(
        (&trajectory["yaw"][0], &trajectory["loop"]),
        (&json!(0.0), &json!(false))
    );
    assert!(trajectory["params"]["off_cm"].is_number(), "{trajectory}");
    let (names, frames) = positions(&gltf, 0);
    let joints = body["skeleton"]["joints"].as_array().unwrap();
    let asked: Vec<&str> = joints
        .iter()
        .map(|joint| joint["name"].as_str().unwrap())
        .collect();
    assert_eq!(names, asked);
    // It walks ahead, to +Z.
    let (first, last) = (frames[0][0], frames[39][0]);
    assert!(last[2] - first[2] > 1.0, "{first:?} {last:?}");
}

#[test]
fn the_binary_form_holds_the_same() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let body = request(address, "a person walks");
    let json = post(address, &[], &body).json();
    let answer = post(address, &["Accept: model/gltf-binary"], &body);
    assert_eq!(answer.header("content-type"), Some("model/gltf-binary"));
    let glb = answer.body;
    let word = |at: usize| u32::from_le_bytes(glb[at..at + 4].try_into().unwrap()) as usize;
    assert_eq!((&glb[..4], word(4), word(8)), (&b"glTF"[..], 2, glb.len()));
    let inside: Value = serde_json::from_slice(&glb[20..20 + word(12)]).unwrap();
    assert_eq!(inside["animations"], json["animations"]);
    assert_eq!(
        inside["buffers"][0]["byteLength"],
        json["buffers"][0]["byteLength"]
    );
}

#[test]
fn the_answer_lies_where_the_path_starts_and_faces_as_it_says() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let mut body = request(address, "a person walks");
    body["constraints"] = json!([{
        "type": "root_path", "frames": [0, 39], "positions_xz": [[5.0, -3.0], [7.0, -3.0]],
        "heading_radians": [FRAC_PI_2, FRAC_PI_2],
    }]);
    let (names, frames) = positions(&post(address, &[], &body).json(), 0);
    let [x, _, z] = frames[0][0];
    assert!((x - 5.0).abs() < 0.05 && (z + 3.0).abs() < 0.05, "{x} {z}");
    let joint = |name: &str| names.iter().position(|own| own == name).unwrap();
    let (left, right) = (frames[0][joint("left_hip")], frames[0][joint("right_hip")]);
    // π/2 faces +X: the left hip is at -Z of the right one, and the walk goes to +X.
    assert!(right[2] - left[2] > 0.1, "{left:?} {right:?}");
    assert!(frames[39][0][0] - x > 1.0, "{:?}", frames[39][0]);
}

#[test]
fn other_skeletons_are_retargeted() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let mut body = request(address, "a person walks");
    body["skeleton"] = mixamo(1.5);
    let answer = post(address, &[], &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    let gltf = answer.json();
    let map = &gltf["extensions"]["MMCP_motion"]["canonical_to_request"];
    assert_eq!(map["left_knee"], "mixamorig:LeftLeg");
    let (names, frames) = positions(&gltf, 0);
    let joint = |name: &str| names.iter().position(|own| own == name).unwrap();
    let toe = joint("mixamorig:LeftToeBase");
    let lowest = frames
        .iter()
        .map(|frame| frame[toe][1])
        .fold(f64::INFINITY, f64::min);
    assert!(lowest.abs() < 0.05, "{lowest}");
    // A larger figure walks farther.
    let own = positions(
        &post(address, &[], &request(address, "a person walks")).json(),
        0,
    )
    .1;
    let way = |frames: &[Vec<[f64; 3]>], root: usize| frames[39][root][2] - frames[0][root][2];
    let ratio = way(&frames, joint("mixamorig:Hips")) / way(&own, 0);
    assert!((ratio - 1.5).abs() < 0.1, "{ratio}");
}

/// Our body with the names of Mixamo, a root above the hips, and another size.
fn mixamo(size: f64) -> Value {
    let names = [
        ("pelvis", "Hips"),
        ("left_hip", "LeftUpLeg"),
        ("right_hip", "RightUpLeg"),
        ("spine1", "Spine"),
        ("left_knee", "LeftLeg"),
        ("right_knee", "RightLeg"),
        ("spine2", "Spine1"),
        ("left_ankle", "LeftFoot"),
        ("right_ankle", "RightFoot"),
        ("spine3", "Spine2"),
        ("left_foot", "LeftToeBase"),
        ("right_foot", "RightToeBase"),
        ("neck", "Neck"),
        ("left_collar", "LeftShoulder"),
        ("right_collar", "RightShoulder"),
        ("head", "Head"),
        ("left_shoulder", "LeftArm"),
        ("right_shoulder", "RightArm"),
        ("left_elbow", "LeftForeArm"),
        ("right_elbow", "RightForeArm"),
        ("left_wrist", "LeftHand"),
        ("right_wrist", "RightHand"),
    ];
    let skeleton = kinograd::motion::Skeleton::canonical();
    let name = |joint: usize| format!("mixamorig:{}", names[joint].1);
    let mut joints = vec![json!({
        "name": "Armature", "parent": null, "rest_translation": [0, 0, 0], "rest_rotation": [0, 0, 0, 1],
    })];
    for (joint, (own, _)) in names.iter().enumerate() {
        assert_eq!(skeleton.names[joint], *own);
        joints.push(json!({
            "name": name(joint),
            "parent": skeleton.parents[joint].map_or("Armature".to_owned(), name),
            "rest_translation": (skeleton.offsets_m[joint] * size).to_array(),
            "rest_rotation": [0, 0, 0, 1],
        }));
    }
    json!({"joints": joints})
}

#[test]
fn a_batch_fails_item_by_item() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let good = request(address, "a person walks");
    let mut bad = good.clone();
    bad["model"] = "another".into();
    let failing = request(address, "fail");
    let body = json!({"protocol_version": "1.2", "requests": [good, bad, failing, 5, good]});
    let answer = post(address, &[], &body);
    assert_eq!(answer.status, 200);
    let results = answer.json()["results"].clone();
    let codes: Vec<_> = (0..5)
        .map(|i| results[i]["error"]["code"].as_str())
        .collect();
    let expected = [
        None,
        Some("unknown_model"),
        Some("internal_error"),
        Some("schema_validation"),
        None,
    ];
    assert_eq!(codes, expected);
    assert!(results[4]["gltf"]["animations"].is_array());
}

#[test]
fn a_loop_ends_in_its_first_pose() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let mut body = request(address, "a person walks");
    body["options"] = json!({"loop": true});
    let (_, frames) = positions(&post(address, &[], &body).json(), 0);
    let (first, last) = (&frames[0], &frames[39]);
    for joint in 1..first.len() {
        for axis in 0..3 {
            let from_root = |frame: &[[f64; 3]]| frame[joint][axis] - frame[0][axis];
            assert!((from_root(first) - from_root(last)).abs() < 1e-5, "{joint}");
        }
    }
    assert!((first[0][1] - last[0][1]).abs() < 1e-5);
}

#[test]
fn clips_shorter_than_the_model_makes_are_cut() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    let mut body = request(address, "a person waves");
    body["segments"][0]["duration_frames"] = 3.into();
    let gltf = post(address, &[], &body).json();
    assert_eq!(positions(&gltf, 0).1.len(), 3);
}

#[test]
fn a_token_is_asked_for_where_one_is_set() {
    let server = guarded("a-secret-of-the-studio");
    let address = server.address();
    assert_eq!(get(address, "/healthz").status, 200);
    for path in ["/capabilities", "/metrics", "/generate/jobs/1"] {
        let answer = get(address, path);
        assert_eq!(
            (answer.status, answer.code().as_str()),
            (401, "unauthorized"),
            "{path}"
        );
        assert_eq!(answer.header("www-authenticate"), Some("Bearer"));
    }
    let shown = ["Authorization: Bearer a-secret-of-the-studio"];
    let answer = raw(address, &message(address, "GET /capabilities", &shown, b""));
    assert_eq!(answer.status, 200);
}

#[test]
fn the_page_loads_nothing_from_elsewhere() {
    let (server, _) = walker(|_| {});
    let page = get(server.address(), "/");
    assert_eq!(page.status, 200);
    let policy = page.header("content-security-policy").unwrap();
    assert!(policy.starts_with("default-src 'none'"), "{policy}");
    let text = String::from_utf8(page.body).unwrap();
    assert!(!text.contains("http://") && !text.contains("https://"));
    let linked = text
        .split(['"'])
        .filter(|part| part.ends_with(".js") || part.ends_with(".css"));
    let linked: Vec<&str> = linked.collect();
    assert!(linked.len() >= 2, "{linked:?}");
    for file in linked {
        assert_eq!(get(server.address(), file).status, 200, "{file}");
    }
}

#[test]
fn metrics_count_what_was_answered() {
    let (server, _) = walker(|_| {});
    let address = server.address();
    post(address, &[], &request(address, "a person walks"));
    post(address, &[], &json!({}));
    get(address, "/nowhere");
    let text = String::from_utf8(get(address, "/metrics").body).unwrap();
    for line in [
        "kinograd_http_requests_total{path=\"/generate\",status=\"200\"} 1",
        "kinograd_http_requests_total{path=\"/generate\",status=\"422\"} 1",
        "kinograd_http_requests_total{path=\"other\",status=\"404\"} 1",
        "kinograd_generations_total{outcome=\"ok\"} 1",
        "kinograd_frames_total 40",
        "kinograd_queue_waiting 0",
    ] {
        assert!(text.lines().any(|own| own == line), "{line}\n{text}");
    }
}
