// Kinograd for C++17: kinograd.h with destructors and exceptions, in this header alone.
//
//   kinograd::Model model("motion-base");
//   kinograd::Task task("a person walks forward");
//   kinograd::Clip walk = model.generate(task.target(2, 3)).clip(0);
//   walk.save("walk.glb");
//
// Objects own their handles: they are moved, not copied, and destroyed once. A call that fails throws
// kinograd::Error with the status and the message. kinograd.h says what each call does, in which
// units and from which threads. MIT or Apache-2.0.
#ifndef KINOGRAD_HPP
#define KINOGRAD_HPP

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>
#include <vector>

#include "kinograd.h"

namespace kinograd {

// A call that failed.
class Error : public std::runtime_error {
public:
    Error(kg_status status, const char* message) : std::runtime_error(message), status_(status) {}

    kg_status status() const noexcept { return status_; }

private:
    kg_status status_;
};

// Throws what the thread's last call had to say.
inline void check(kg_status status) {
    if (status != KG_STATUS_OK) {
        throw Error(status, kg_last_error());
    }
}

namespace detail {

// A handle and who destroys it.
template <typename T, kg_status (*Destroy)(T*)> class Handle {
public:
    explicit Handle(T* handle) noexcept : handle_(handle) {}
    Handle(Handle&& other) noexcept : handle_(std::exchange(other.handle_, nullptr)) {}
    Handle& operator=(Handle&& other) noexcept {
        std::swap(handle_, other.handle_);
        return *this;
    }
    Handle(const Handle&) = delete;
    Handle& operator=(const Handle&) = delete;
    ~Handle() { Destroy(handle_); }

    // The handle for calls of kinograd.h; it stays this object's.
    T* get() const noexcept { return handle_; }

private:
    T* handle_;
};

// The text that `write(buffer, capacity, size)` writes.
template <typename Write> std::string text(Write write) {
    std::uint64_t size = 0;
    check(write(nullptr, 0, &size));
    std::string all(static_cast<std::size_t>(size), '\0');
    check(write(all.data(), size, &size));
    all.resize(all.size() - 1);
    return all;
}

inline const char* or_null(const std::optional<std::string>& text) {
    return text ? text->c_str() : nullptr;
}

inline std::vector<std::uint8_t> bytes(kg_blob* handle) {
    Handle<kg_blob, kg_blob_destroy> blob(handle);
    std::uint64_t size = 0;
    check(kg_blob_size(blob.get(), &size));
    // A vector without bytes may have no place.
    std::vector<std::uint8_t> all(static_cast<std::size_t>(size) + 1);
    check(kg_blob_copy(blob.get(), all.data(), size));
    all.pop_back();
    return all;
}

} // namespace detail

// How a clip is written: kg_save_options.
struct SaveOptions {
    double fps = 0;
    double unit_to_metre = 0;
    std::optional<std::string> root_motion;
    std::optional<std::string> joint_names;
    std::optional<std::string> rest_pose;

    // The same for C; it holds while this does.
    kg_save_options c() const {
        kg_save_options options{};
        options.struct_size = sizeof options;
        options.fps = fps;
        options.unit_to_metre = unit_to_metre;
        options.root_motion = detail::or_null(root_motion);
        options.joint_names = detail::or_null(joint_names);
        options.rest_pose = detail::or_null(rest_pose);
        return options;
    }
};

// A skeleton that moves.
class Clip : public detail::Handle<kg_clip, kg_clip_destroy> {
public:
    using Handle::Handle;

    static Clip load(const std::string& path) {
        kg_clip* clip = nullptr;
        check(kg_clip_load(path.c_str(), &clip));
        return Clip(clip);
    }

    kg_clip_info info() const {
        kg_clip_info info{};
        info.struct_size = sizeof info;
        check(kg_clip_get_info(get(), &info));
        return info;
    }

    std::vector<std::string> joint_names() const {
        std::vector<std::string> names;
        for (std::uint32_t joint = 0; joint < info().joint_count; ++joint) {
            names.push_back(detail::text([&](char* buffer, std::uint64_t capacity, std::uint64_t* size) {
                return kg_clip_joint_name(get(), joint, buffer, capacity, size);
            }));
        }
        return names;
    }

    // -1 for the root.
    std::vector<std::int32_t> parents() const {
        std::vector<std::int32_t> parents(info().joint_count);
        check(kg_clip_parents(get(), parents.data(), static_cast<std::uint32_t>(parents.size())));
        return parents;
    }

    std::vector<kg_transform> rest(kg_space space = KG_SPACE_LOCAL) const {
        std::vector<kg_transform> joints(info().joint_count);
        check(kg_clip_rest(get(), space, joints.data(), static_cast<std::uint32_t>(joints.size())));
        return joints;
    }

    std::vector<kg_transform> sample(double time_secs, kg_space space = KG_SPACE_LOCAL) const {
        std::vector<kg_transform> joints(info().joint_count);
        sample(time_secs, space, joints.data(), static_cast<std::uint32_t>(joints.size()));
        return joints;
    }

    // Into memory of one's own, as each frame of a game does.
    void sample(double time_secs, kg_space space, kg_transform* joints, std::uint32_t count) const {
        check(kg_clip_sample(get(), time_secs, space, joints, count));
    }

    kg_transform root(double time_secs) const {
        kg_transform root{};
        check(kg_clip_root(get(), time_secs, &root));
        return root;
    }

    kg_transform root_motion(double from_secs, double to_secs) const {
        kg_transform motion{};
        check(kg_clip_root_motion(get(), from_secs, to_secs, &motion));
        return motion;
    }

    // Bits of kg_foot.
    std::uint32_t foot_contacts(double time_secs) const {
        std::uint32_t feet = 0;
        check(kg_clip_foot_contacts(get(), time_secs, &feet));
        return feet;
    }

    std::string report_json() const {
        return detail::text([&](char* buffer, std::uint64_t capacity, std::uint64_t* size) {
            return kg_clip_report_json(get(), buffer, capacity, size);
        });
    }

    void save(const std::string& path, const SaveOptions& options = {}) const {
        const kg_save_options c = options.c();
        check(kg_clip_save(get(), path.c_str(), &c));
    }

    std::vector<std::uint8_t> encode(const std::string& format, const SaveOptions& options = {}) const {
        const kg_save_options c = options.c();
        kg_blob* file = nullptr;
        check(kg_clip_encode(get(), format.c_str(), &c, &file));
        return detail::bytes(file);
    }
};

// A character from a file.
class Rig : public detail::Handle<kg_rig, kg_rig_destroy> {
public:
    using Handle::Handle;

    explicit Rig(const std::string& file, const std::optional<std::string>& mapping = std::nullopt)
        : Handle(open(file, mapping)) {}

    std::string report_json() const {
        return detail::text([&](char* buffer, std::uint64_t capacity, std::uint64_t* size) {
            return kg_rig_report_json(get(), buffer, capacity, size);
        });
    }

    Clip retarget(const Clip& clip, const std::optional<std::string>& travel = std::nullopt) const {
        kg_clip* on_rig = nullptr;
        check(kg_rig_retarget(get(), clip.get(), detail::or_null(travel), &on_rig));
        return Clip(on_rig);
    }

private:
    static kg_rig* open(const std::string& file, const std::optional<std::string>& mapping) {
        kg_rig* rig = nullptr;
        check(kg_rig_open(file.c_str(), detail::or_null(mapping), &rig));
        return rig;
    }
};

// All that is asked for.
class Task : public detail::Handle<kg_task, kg_task_destroy> {
public:
    using Handle::Handle;

    explicit Task(const std::string& prompt) : Handle(create(prompt)) {}

    static Task from_json(const std::string& json) {
        kg_task* task = nullptr;
        check(kg_task_from_json(json.c_str(), &task));
        return Task(task);
    }

    std::string to_json() const {
        return detail::text([&](char* buffer, std::uint64_t capacity, std::uint64_t* size) {
            return kg_task_to_json(get(), buffer, capacity, size);
        });
    }

    std::string model() const {
        return detail::text([&](char* buffer, std::uint64_t capacity, std::uint64_t* size) {
            return kg_task_model(get(), buffer, capacity, size);
        });
    }

    void validate() const { check(kg_task_check(get())); }

    Task& then(const std::string& prompt, double from_secs) {
        return done(kg_task_add_prompt(get(), prompt.c_str(), from_secs));
    }
    Task& duration(double secs) { return done(kg_task_set_duration(get(), secs)); }
    Task& fps(double fps) { return done(kg_task_set_fps(get(), fps)); }
    // At the end of the clip, if no time is given.
    Task& target(double x_m, double z_m, double time_secs = -1) {
        return done(kg_task_add_target(get(), x_m, z_m, time_secs));
    }
    Task& waypoint(double x_m, double z_m, double time_secs) {
        return done(kg_task_add_waypoint(get(), x_m, z_m, time_secs));
    }
    Task& obstacle(double x_m, double z_m, double radius_m) {
        return done(kg_task_add_obstacle(get(), x_m, z_m, radius_m));
    }
    Task& seed(std::uint64_t seed) { return done(kg_task_set_seed(get(), seed)); }
    Task& count(std::uint32_t count) { return done(kg_task_set_count(get(), count)); }
    Task& best_of(std::uint32_t draws) { return done(kg_task_set_best_of(get(), draws)); }
    Task& steps(std::uint32_t steps) { return done(kg_task_set_steps(get(), steps)); }
    Task& method(const std::string& name) { return done(kg_task_set_method(get(), name.c_str())); }
    Task& guidance_scale(double scale) { return done(kg_task_set_guidance_scale(get(), scale)); }
    Task& foot_lock(bool is_on) { return done(kg_task_set_foot_lock(get(), is_on ? 1 : 0)); }
    Task& rig(const std::string& file, const std::optional<std::string>& mapping = std::nullopt,
              const std::optional<std::string>& travel = std::nullopt) {
        return done(kg_task_set_rig(get(), file.c_str(), detail::or_null(mapping), detail::or_null(travel)));
    }

private:
    static kg_task* create(const std::string& prompt) {
        kg_task* task = nullptr;
        check(kg_task_create(prompt.c_str(), &task));
        return task;
    }

    Task& done(kg_status status) {
        check(status);
        return *this;
    }
};

// Clips that are being made. Its end cancels it.
class Job : public detail::Handle<kg_job, kg_job_destroy> {
public:
    using Handle::Handle;

    kg_job_progress progress() const {
        kg_job_progress progress{};
        progress.struct_size = sizeof progress;
        check(kg_job_poll(get(), &progress));
        return progress;
    }

    // Until it is done; throws what it failed of.
    void wait() const { check(kg_job_wait(get(), -1)); }

    // Whether it is done before the time is over; throws what it failed of.
    bool wait(double timeout_secs) const {
        const kg_status status = kg_job_wait(get(), timeout_secs);
        if (status == KG_STATUS_TIMEOUT) {
            return false;
        }
        check(status);
        return true;
    }

    void cancel() const { check(kg_job_cancel(get())); }

    // A clip of a job that is waited for.
    Clip clip(std::uint32_t index) const {
        wait();
        kg_clip* clip = nullptr;
        check(kg_job_clip(get(), index, &clip));
        return Clip(clip);
    }

    // The estimate of the last step, if there is one.
    std::optional<Clip> partial() const {
        kg_clip* clip = nullptr;
        const kg_status status = kg_job_partial(get(), &clip);
        if (status == KG_STATUS_NOT_READY) {
            return std::nullopt;
        }
        check(status);
        return Clip(clip);
    }
};

// How a model is run: kg_engine_options.
struct EngineOptions {
    std::uint32_t threads = 0;
    std::optional<std::string> engine;
    std::optional<std::string> provider;
    std::optional<std::string> onnx_runtime;
};

// A model package on an engine.
class Model : public detail::Handle<kg_model, kg_model_destroy> {
public:
    using Handle::Handle;

    explicit Model(const std::string& name_or_folder = "motion-base", const EngineOptions& options = {})
        : Handle(open(name_or_folder, options)) {}

    std::string info_json() const {
        return detail::text([&](char* buffer, std::uint64_t capacity, std::uint64_t* size) {
            return kg_model_info_json(get(), buffer, capacity, size);
        });
    }

    // Starts a job on a thread of its own.
    Job generate(const Task& task, bool keep_partial = false) const {
        kg_job_options options{};
        options.struct_size = sizeof options;
        options.keep_partial = keep_partial ? 1 : 0;
        kg_job* job = nullptr;
        check(kg_job_start(get(), task.get(), &options, &job));
        return Job(job);
    }

private:
    static kg_model* open(const std::string& name, const EngineOptions& asked) {
        kg_engine_options options{};
        options.struct_size = sizeof options;
        options.threads = asked.threads;
        options.engine = detail::or_null(asked.engine);
        options.provider = detail::or_null(asked.provider);
        options.onnx_runtime = detail::or_null(asked.onnx_runtime);
        kg_model* model = nullptr;
        check(kg_model_open(name.c_str(), &options, &model));
        return model;
    }
};

// Takes the library's messages while it lives. The function may be called from any thread; what it
// throws is dropped.
class Log {
public:
    using Function = std::function<void(kg_log_level, const char*)>;

    Log(kg_log_level level, Function function) : function_(std::make_unique<Function>(std::move(function))) {
        check(kg_log_set_callback(level, call, function_.get()));
    }
    Log(const Log&) = delete;
    Log& operator=(const Log&) = delete;
    ~Log() { kg_log_set_callback(KG_LOG_LEVEL_OFF, nullptr, nullptr); }

private:
    static void call(void* user, std::int32_t level, const char* message) noexcept {
        try {
            (*static_cast<Function*>(user))(static_cast<kg_log_level>(level), message);
        } catch (...) {
        }
    }

    std::unique_ptr<Function> function_;
};

// Writes the gradient v -> J^T v of an ONNX model as an ONNX file; what was written, as JSON. Without
// names it is that of the first output that holds floats by the first input that does.
inline std::string write_gradient(const std::string& model, const std::string& path,
                                  const std::vector<std::string>& inputs = {},
                                  const std::vector<std::string>& outputs = {}, bool split = false) {
    std::vector<const char*> in, out;
    for (const std::string& name : inputs) {
        in.push_back(name.c_str());
    }
    for (const std::string& name : outputs) {
        out.push_back(name.c_str());
    }
    kg_gradient_options options{};
    options.struct_size = sizeof options;
    options.split = split ? 1 : 0;
    options.input_count = static_cast<std::uint32_t>(in.size());
    options.output_count = static_cast<std::uint32_t>(out.size());
    options.inputs = in.data();
    options.outputs = out.data();
    kg_blob* report = nullptr;
    check(kg_gradient_write(model.c_str(), path.c_str(), &options, &report));
    const std::vector<std::uint8_t> json = detail::bytes(report);
    return std::string(json.begin(), json.end());
}

} // namespace kinograd

#endif // KINOGRAD_HPP
