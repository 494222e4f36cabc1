//! Clips frame by frame, and their way as one picture.

use glam::{DVec2, DVec3};
use kinograd_motion::MotionError;
use tiny_skia::Pixmap;

use super::camera::Camera;
use super::canvas::{Canvas, Ink};
use super::clip::{SheetClip, check, poses, poses_along, spread};
use super::marks::SceneMarks;
use super::pixmap::{PAPER, RgbaPixmap, SHADOW, SKY, TEXT, pixmap, sheet_error};
use super::stage::{framed_marks, upright_things, viewpoint};
use super::{figure, scene, text};

/// Half the height and width that a following camera keeps around the root, metres.
const FOLLOW_M: DVec3 = DVec3::new(1.0, 1.0, 1.0);
/// Frames before and after over which a following camera is smoothed.
const FOLLOW_FRAMES: usize = 12;

/// From where a film or a picture is seen.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum View {
    /// Beside the way, so that it runs across the picture.
    #[default]
    Side,
    /// As [`View::Side`], and the camera goes along.
    Follow,
    /// From above: +z is up, +x left.
    Top,
}

/// Clips in one scene, ready to be drawn at any of their frames.
pub struct Film {
    clips: Vec<(SheetClip, Vec<Vec<DVec3>>)>,
    marks: SceneMarks,
    view: View,
    size_px: (u32, u32),
    towards_eye: DVec3,
    whole: Camera,
    extent_m: (DVec3, DVec3),
    frames: usize,
}

impl Film {
    /// All clips play at once, from the first one's place; shorter ones stay at their last pose.
    ///
    /// # Errors
    /// As [`render_sheet`](super::render_sheet); [`MotionError::Format`] for clips of different
    /// frame rates.
    pub fn new(
        clips: Vec<SheetClip>,
        marks: SceneMarks,
        view: View,
        size_px: (u32, u32),
    ) -> Result<Self, MotionError> {
        check(&clips, &marks)?;
        drop(pixmap(size_px.0, size_px.1)?);
        let fps = clips[0].fps;
        if let Some(other) = clips.iter().find(|clip| (clip.fps - fps).abs() > 1e-6) {
            return Err(sheet_error(format!(
                "clips of {fps} and {} frames per second in one film",
                other.fps
            )));
        }
        let clips: Vec<(SheetClip, Vec<Vec<DVec3>>)> = clips
            .into_iter()
            .map(|clip| {
                let poses = poses(&clip);
                (clip, poses)
            })
            .collect();
        let towards_eye = match view {
            View::Side | View::Follow => viewpoint(&clips[0].1),
            View::Top => DVec3::new(0.0, 1.0, -1e-3),
        };
        let mut points: Vec<DVec3> = Vec::new();
        for pose in clips.iter().flat_map(|(_, poses)| poses) {
            points.extend(pose);
            points.push(pose[15] + DVec3::Y * 0.22);
            points.push(pose[0].with_y(0.0));
        }
        points.extend(framed_marks(&marks));
        let (low, high) = points.iter().fold(
            (DVec3::INFINITY, DVec3::NEG_INFINITY),
            |(low, high), &point| (low.min(point), high.max(point)),
        );
        let size = DVec2::new(f64::from(size_px.0), f64::from(size_px.1));
        let whole = Camera::framing(&points, towards_eye, size, 0.06 * size.y + 4.0);
        let frames = clips.iter().map(|(_, poses)| poses.len()).max();
        Ok(Self {
            frames: frames.unwrap_or(1),
            clips,
            marks,
            view,
            size_px,
            towards_eye,
            whole,
            extent_m: (low.with_y(0.0), high.with_y(0.0)),
        })
    }

    /// How many frames there are.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.frames
    }

    /// Frames per second.
    #[must_use]
    pub fn fps(&self) -> f64 {
        self.clips[0].0.fps
    }

    /// A frame, with the way up to it and its time; the last one where `index` is beyond.
    ///
    /// # Errors
    /// [`MotionError::Format`] where the picture does not fit into memory.
    pub fn frame(&self, index: usize) -> Result<RgbaPixmap, MotionError> {
        let index = index.min(self.frames - 1);
        let camera = match self.view {
            View::Side | View::Top => self.whole,
            View::Follow => self.following(index),
        };
        let mut picture = self.paper()?;
        let mut canvas = Canvas(&mut picture);
        let (low, high) = self.extent_m;
        scene::grid(&mut canvas, &camera, low, high);
        scene::flat_marks(&mut canvas, &camera, &self.marks);
        let shown: Vec<&Vec<DVec3>> = self
            .clips
            .iter()
            .map(|(_, poses)| &poses[index.min(poses.len() - 1)])
            .collect();
        for (_, poses) in &self.clips {
            let roots: Vec<DVec3> = poses.iter().take(index + 1).map(|pose| pose[0]).collect();
            scene::trail(&mut canvas, &camera, &roots);
        }
        for pose in &shown {
            figure::shadow(&mut canvas, &camera, pose, SHADOW);
        }
        let figures: Vec<(&[DVec3], f64)> = shown.iter().map(|pose| (&pose[..], 0.0)).collect();
        upright_things(&mut canvas, &camera, &figures, &self.marks);
        let time = format!("{:.1} s", index as f64 / self.fps());
        self.words(&mut canvas, &time);
        Ok(RgbaPixmap(picture))
    }

    /// The whole way with poses along it.
    ///
    /// # Errors
    /// [`MotionError::Format`] where the picture does not fit into memory.
    pub fn way(&self) -> Result<RgbaPixmap, MotionError> {
        let mut picture = self.paper()?;
        let mut canvas = Canvas(&mut picture);
        let (low, high) = self.extent_m;
        scene::grid(&mut canvas, &self.whole, low, high);
        scene::flat_marks(&mut canvas, &self.whole, &self.marks);
        let mut figures: Vec<(&[DVec3], f64)> = Vec::new();
        for (_, poses) in &self.clips {
            let roots: Vec<DVec3> = poses.iter().map(|pose| pose[0]).collect();
            scene::trail(&mut canvas, &self.whole, &roots);
            let frames = spread(poses.len(), poses_along(poses));
            let count = frames.len() as f64;
            let faded = |(place, frame): (usize, usize)| {
                let age = 1.0 - (place + 1) as f64 / count;
                (&poses[frame][..], 0.55 * age)
            };
            figures.extend(frames.into_iter().enumerate().map(faded));
        }
        for (pose, _) in &figures {
            figure::shadow(&mut canvas, &self.whole, pose, SHADOW);
        }
        upright_things(&mut canvas, &self.whole, &figures, &self.marks);
        self.words(&mut canvas, "");
        Ok(RgbaPixmap(picture))
    }

    fn paper(&self) -> Result<Pixmap, MotionError> {
        let (width, height) = self.size_px;
        let mut picture = pixmap(width, height)?;
        let mut canvas = Canvas(&mut picture);
        for row in 0..height {
            let share = f64::from(row) / f64::from(height);
            let ink: Ink = SKY.towards(PAPER, share);
            canvas.rect(0.0, f64::from(row), f64::from(width), 1.0, ink);
        }
        Ok(picture)
    }

    /// Title at the left, time at the right.
    fn words(&self, canvas: &mut Canvas, time: &str) {
        let width = f64::from(self.size_px.0);
        let scale = (width / 480.0).clamp(1.0, 3.0).floor();
        let x = width - text::width_px(time, scale) - 4.0 * scale;
        let room = x - 8.0 * scale;
        let title = &self.clips[0].0.title;
        text::label(canvas, title, (4.0 * scale, 4.0 * scale), scale, room, TEXT);
        text::label(canvas, time, (x, 4.0 * scale), scale, width, TEXT);
    }

    /// Keeps the first clip's root in the middle, without its sway.
    fn following(&self, index: usize) -> Camera {
        let poses = &self.clips[0].1;
        let last = poses.len() - 1;
        let near = index.saturating_sub(FOLLOW_FRAMES)..=index + FOLLOW_FRAMES;
        let sum: DVec3 = near.clone().map(|frame| poses[frame.min(last)][0]).sum();
        let root = (sum / near.count() as f64).with_y(FOLLOW_M.y);
        let corner = |sign: [f64; 3]| root + FOLLOW_M * DVec3::from_array(sign);
        let signs = [-1.0, 1.0];
        let points: Vec<DVec3> = signs
            .iter()
            .flat_map(|&x| signs.map(move |y| (x, y)))
            .flat_map(|(x, y)| signs.map(move |z| [x, y, z]))
            .map(corner)
            .collect();
        let size = DVec2::new(f64::from(self.size_px.0), f64::from(self.size_px.1));
        Camera::framing(&points, self.towards_eye, size, 0.05 * size.y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use kinograd_motion::joints_array;
    use kinograd_motion::synth::synth_walk;

    fn walk() -> SheetClip {
        SheetClip {
            title: "walk".to_owned(),
            joints: joints_array(&synth_walk(1.2, 3.0, 20.0)),
            fps: 20.0,
        }
    }

    fn marks() -> SceneMarks {
        SceneMarks {
            target_m: Some([0.5, 3.5]),
            ..SceneMarks::default()
        }
    }

    /// Mean column of what is as blue as a left limb.
    fn left_limbs(picture: &RgbaPixmap) -> f64 {
        let width = picture.width() as usize;
        let (mut sum, mut count) = (0.0, 0.0);
        for (index, p) in picture.rgba().chunks_exact(4).enumerate() {
            if p[2] > 170 && p[0] < 90 {
                sum += (index % width) as f64;
                count += 1.0;
            }
        }
        assert!(count > 20.0, "no figure in the picture");
        sum / count
    }

    #[test]
    fn the_figure_crosses_the_picture_or_is_followed() {
        let film = |view| Film::new(vec![walk()], marks(), view, (320, 180)).unwrap();
        let side = film(View::Side);
        assert_eq!(side.frames(), walk().joints.dim().0);
        let way = |film: &Film| {
            let first = left_limbs(&film.frame(0).unwrap());
            (left_limbs(&film.frame(usize::MAX).unwrap()) - first).abs()
        };
        assert!(way(&side) > 80.0, "{}", way(&side));
        let followed = way(&film(View::Follow));
        assert!(followed < 40.0, "{followed}");
        let again = side.frame(7).unwrap();
        assert_eq!(side.frame(7).unwrap(), again);
        assert_ne!(side.frame(8).unwrap(), again);
    }

    #[test]
    fn from_above_forward_is_up() {
        let film = Film::new(vec![walk()], marks(), View::Top, (200, 300)).unwrap();
        let row = |frame: usize| {
            let picture = film.frame(frame).unwrap();
            let blue = |p: &[u8]| p[2] > 170 && p[0] < 90;
            let rows = picture.rgba().chunks_exact(4 * 200);
            let counts: Vec<f64> = rows
                .map(|row| row.chunks_exact(4).filter(|p| blue(p)).count() as f64)
                .collect();
            let total: f64 = counts.iter().sum();
            let weighted = counts.iter().enumerate().map(|(y, c)| y as f64 * c);
            weighted.sum::<f64>() / total
        };
        assert!(row(0) > row(film.frames() - 1) + 60.0);
        assert_eq!(film.way().unwrap().width(), 200);
    }

    #[test]
    fn refuses_what_it_cannot_draw() {
        let film = |clips, size| Film::new(clips, marks(), View::Side, size).map(|_| ());
        let other = SheetClip {
            fps: 30.0,
            ..walk()
        };
        let error = film(vec![walk(), other], (320, 180)).unwrap_err();
        assert!(error.to_string().contains("20 and 30 frames per second"));
        assert!(film(vec![], (320, 180)).is_err());
        assert!(film(vec![walk()], (0, 180)).is_err());
    }
}
