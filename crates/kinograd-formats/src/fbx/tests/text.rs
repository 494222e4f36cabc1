//! Files as text.

use glam::{DQuat, DVec3};

use super::read;

/// Bones under a null that moves, and a second skeleton.
const TEXT: &str = r#"; FBX 7.4.0 project file
FBXHeaderExtension:  {
    FBXVersion: 7400
}
GlobalSettings:  {
    Properties70:  {
        P: "UpAxis", "int", "Integer", "",1
        P: "UpAxisSign", "int", "Integer", "",1
        P: "FrontAxis", "int", "Integer", "",2
        P: "FrontAxisSign", "int", "Integer", "",1
        P: "CoordAxis", "int", "Integer", "",0
        P: "CoordAxisSign", "int", "Integer", "",1
        P: "UnitScaleFactor", "double", "Number", "",1
        P: "TimeMode", "enum", "", "",11
    }
}
Objects:  {
    NodeAttribute: 1, "NodeAttribute::", "KIND" {
    }
    NodeAttribute: 2, "NodeAttribute::", "KIND" {
    }
    NodeAttribute: 3, "NodeAttribute::", "KIND" {
    }
    Model: 10, "Model::holder", "Null" {
        Properties70:  {
            P: "Lcl Scaling", "Lcl Scaling", "", "A",2,2,2
        }
    }
    Model: 11, "Model::left", "KIND" {
        Properties70:  {
            P: "Lcl Translation", "Lcl Translation", "", "A",10,0,0
        }
    }
    Model: 12, "Model::right", "KIND" {
        Properties70:  {
            P: "Lcl Translation", "Lcl Translation", "", "A",-10,0,0
        }
    }
    Model: 13, "Model::prop", "KIND" {
    }
    AnimationStack: 20, "AnimStack::Take 001", "" {
    }
    AnimationLayer: 21, "AnimLayer::base", "" {
    }
    AnimationCurveNode: 22, "AnimCurveNode::T", "" {
        Properties70:  {
            P: "d|X", "Number", "", "A",0
        }
    }
    AnimationCurve: 23, "AnimCurve::", "" {
        KeyTime: *2 {
            a: 0,46186158000
        }
        KeyValueFloat: *2 {
            a: 0,24
        }
        KeyAttrFlags: *1 {
            a: 4
        }
        KeyAttrDataFloat: *4 {
            a: 0,0,0,0
        }
        KeyAttrRefCount: *1 {
            a: 2
        }
    }
}
Connections:  {
    C: "OO",10,0
    C: "OO",13,0
    C: "OO",11,10
    C: "OO",12,10
    C: "OO",1,11
    C: "OO",2,12
    C: "OO",3,13
    C: "OO",21,20
    C: "OO",22,21
    C: "OP",22,10, "Lcl Translation"
    C: "OP",23,22, "d|X"
}
"#;

#[test]
fn text_is_read_and_what_carries_bones_is_applied() {
    let source = read(TEXT.replace("KIND", "LimbNode").as_bytes()).unwrap();
    assert_eq!(source.motion.skeleton.names, ["holder", "left", "right"]);
    assert_eq!(source.motion.fps, 24.0);
    assert_eq!(source.motion.len(), 25);
    let (places, turns) = source.motion.joint_poses_in_world(12);
    assert_eq!(places[1], DVec3::new(12.0 + 20.0, 0.0, 0.0));
    assert_eq!(turns[1], DQuat::IDENTITY);
    assert_eq!(source.warnings.len(), 1);
    assert!(source.warnings[0].contains("`holder` was taken, not `prop`"));
}

/// Without bones the nulls that move are the skeleton.
#[test]
fn moving_nulls_are_joints_where_there_are_no_bones() {
    let text = TEXT.replace("KIND", "Null");
    let source = read(text.as_bytes()).unwrap();
    assert_eq!(source.motion.skeleton.names, ["holder", "left", "right"]);
    assert!(source.warnings[0].contains("no bones"));
    let still = text.replace("C: \"OP\",22,10", "C: \"OP\",22,99");
    let error = read(still.as_bytes()).unwrap_err().to_string();
    assert!(error.contains("holds a pose"), "{error}");
}
