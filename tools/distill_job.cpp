#include "tools/distill_job.h"

#include <filesystem>
#include <iostream>
#include <memory>
#include <utility>

#include "lib/base/error.h"
#include "lib/base/file.h"
#include "lib/base/process_memory.h"
#include "lib/base/schema.h"
#include "lib/data/dataset.h"
#include "lib/distill/quantized_student.h"
#include "lib/distill/train_log.h"
#include "lib/distill/trainer.h"
#include "lib/distill/training_data.h"
#include "lib/distributed/world.h"
#include "lib/model/model_files.h"
#include "tools/distill_measure.h"
#include "tools/distill_recipe.h"
#include "tools/distill_student.h"
#include "tools/job_report.h"
#include "tools/output_files.h"
#include "tools/quantized_student.h"

namespace limbeck {
namespace {

namespace fs = std::filesystem;

/// How the samples were normalised, which augmentation must know.
void read_normalisation(const fs::path& description, AugmentationOptions& options) {
  const nlohmann::json json = parse_json(read_file(description), description.string());
  if (changes_images(options) && json.value("layout", "NCHW") != "NCHW") {
    throw_error(Category::kUsage, description.string(),
                "augmentation needs images with the channels first", json.at("layout").dump(),
                "train without augmentation, or with a model that takes NCHW");
  }
  const std::string kind = json.value("kind", "");
  const bool colours = options.brightness > 0 || options.contrast > 0 || options.saturation > 0;
  if (colours && (kind == "npy" || kind == "npz" || kind == "pb")) {
    throw_error(Category::kUsage, description.string(),
                "brightness, contrast and saturation need images whose normalisation is known",
                "kind " + kind, "leave them out, or describe the images themselves");
  }
  options.mean = json.value("mean", options.mean);
  options.deviation = json.value("std", options.deviation);
}

/// Labels alone, smoothed as the recipe's own loss on labels is.
nlohmann::json label_losses(const nlohmann::json& losses) {
  nlohmann::json label = {{"loss", "label_cross_entropy"}, {"weight", 1.0}};
  for (const nlohmann::json& loss : losses) {
    if (loss.at("loss") == "label_cross_entropy" && loss.contains("smoothing"))
      label["smoothing"] = loss.at("smoothing");
  }
  return nlohmann::json::array({label});
}

/// Runs a job step by step; members are what later steps need.
class DistillRun {
 public:
  explicit DistillRun(const DistillJob& job) : job_(job), recipe_(merged_recipe(job)) {}

  void run() {
    check_recipe(job_, recipe_);
    load();
    check_outputs();
    const OutputFolder folder(job_.output);
    if (leads_) check_checkpoints();
    const std::string made = format_ ? teacher_stem() + "." + *format_ : stem();
    remove_leftovers(job_.output, {made + ".", stem() + "."});
    StagedFiles files(job_.output);
    if (request_) shrink_teacher(files);
    if (format_) quantize_teacher(files);
    // Of an earlier run with --baseline.
    files.replaces(emitted_name("baseline"));
    if (leads_) measure_before();
    const TrainResult trained = train(train_job(recipe_, teacher(), ""));
    if (leads_) {
      inputs_.training = training_run(trained, "train.jsonl");
      inputs_.after = emit(trained.student, "distilled", files);
    }
    if (job_.baseline) train_baseline(files);
    if (!leads_) return;
    report(files);
    for (const char* name : {"", ".baseline"}) fs::remove(checkpoint(name));
  }

 private:
  const Model* teacher() const { return teacher_ ? &*teacher_ : nullptr; }
  fs::path output(const std::string& name) const { return fs::path(job_.output) / name; }
  std::string teacher_stem() const { return recipe_.teacher.stem().string(); }
  std::string stem() const { return recipe_.student.stem().string(); }
  fs::path checkpoint(const std::string& name) const {
    return output(stem() + name + ".checkpoint");
  }

  void measure_before() {
    inputs_.before = measure_file(student_file_, teacher(), measured_on());
    if (teacher_)
      inputs_.teacher = measured_teacher(recipe_.teacher, *teacher_, inputs_.before.evaluation);
  }

  void load() {
    request_ = shrink_request(recipe_.student);
    format_ = quantized_request(recipe_.student);
    if (request_) {
      check_request(*request_);  // before data is read
      recipe_.student = output(teacher_stem() + ".shrunk.onnx");
    } else if (format_) {
      recipe_.student = output(teacher_stem() + "." + *format_ + "-untrained.onnx");
    } else {
      student_file_ = recipe_.student;
      student_ = load_model(student_file_);
    }
    if (!recipe_.teacher.empty()) teacher_ = load_model(recipe_.teacher);
    if (teacher_ && !request_ && !format_) require_comparable(student_, *teacher_);
    source_ = open_dataset(recipe_.data);
    if (!job_.eval.empty()) eval_ = open_dataset(job_.eval);
    recipe_ = completed_recipe(recipe_, teacher_.has_value(), source_->has_labels());
    read_normalisation(recipe_.data, recipe_.augmentation);
    if (recipe_.precision == Precision::kBfloat16 && !multiplies_bfloat16() && leads_ &&
        !job_.common.quiet) {
      std::cerr << "bf16: this CPU has no instructions for it (AVX512_BF16): the results are those "
                   "of bf16, and it is no faster than fp32\n";
    }
    if (job_.baseline && !source_->has_labels()) {
      throw_error(Category::kUsage, "limbeck distill", "--baseline trains on labels", "no labels",
                  "leave --baseline out, or name the labels in the data set's description");
    }
    decoded_ =
        decode_dataset(*source_, {.threads = job_.common.threads, .quiet = job_.common.quiet});
    choose_samples();
    if (!eval_ && split_.validation.empty()) {
      throw_error(Category::kUsage, "limbeck distill",
                  "a report needs samples that were not trained on", "no --eval, none held out",
                  "give --eval, or hold some out with \"validation\" in the recipe");
    }
  }

  void choose_samples() {
    std::vector<int64_t> all = sample_order(source_->size(), 0, 0);
    if (recipe_.domain.empty()) {
      split_ = split_samples(all, recipe_.validation, recipe_.seed);
      measured_ = split_.validation;
      return;
    }
    if (!source_->has_labels() || (eval_ && !eval_->has_labels())) {
      throw_error(Category::kUsage, "--domain", "a domain needs labelled data", "no labels",
                  "leave --domain out, or name the labels in the data set's description");
    }
    std::vector<int64_t> labels = read_labels(data(), job_.common.threads);
    const DomainSplit domain = split_domain(labels, recipe_.domain);
    split_ = split_samples(domain.inside, recipe_.validation, recipe_.seed);
    inputs_.domain = recipe_.domain;
    inputs_.labels = eval_ ? read_labels(*eval_, job_.common.threads) : std::move(labels);
    measured_ = split_.validation;
    // None of the others is trained on: as many of them as the recipe would hold out.
    if (domain.outside.size() > measured_.size()) {
      const auto outside = split_samples(
          domain.outside, {.samples = static_cast<int64_t>(measured_.size())}, recipe_.seed);
      measured_.insert(measured_.end(), outside.validation.begin(), outside.validation.end());
    }
  }

  /// The student becomes a file like any other, which is measured, hashed and trained.
  void shrink_teacher(StagedFiles& files) {
    shrunk_ = make_student(*request_, *teacher_,
                           {data(), split_.training, recipe_.seed, job_.common.threads});
    inputs_.shrunk = &*shrunk_;
    inputs_.shrink_options = *request_;
    student_file_ = staged(recipe_.student.filename().string(), files);
    save_model(shrunk_->student, student_file_);
    student_ = load_model(student_file_);
  }

  /// The student starts as its teacher after post-training quantization, which becomes a file like
  /// any other student, measured and hashed; what trains is the graph with float weights.
  void quantize_teacher(StagedFiles& files) {
    const SubsetDataset samples(data(), split_.training);
    quantized_ = quantized_student(*teacher_, model_files(recipe_.teacher).hash, samples,
                                   {.format = *format_,
                                    .seed = recipe_.seed,
                                    .threads = job_.common.threads,
                                    .quiet = job_.common.quiet});
    student_ = copy_model(quantized_->graph.model);
    student_file_ = staged(recipe_.student.filename().string(), files);
    save_model(finish_qat(*quantized_, student_).applied.model, student_file_);
  }

  const Dataset& data() const { return decoded_ ? *decoded_ : *source_; }

  /// Nothing that is read may be replaced by what is written.
  void check_outputs() const {
    const bool file = !request_ && !format_;
    const InputFiles inputs{{recipe_.teacher.string(), file ? recipe_.student.string() : ""},
                            {recipe_.data.string(), job_.eval},
                            {job_.recipe}};
    std::vector<fs::path> outputs = {output("report.json"), output("report.html"),
                                     output("train.jsonl"), output("baseline.jsonl")};
    if (format_) outputs.push_back(output("plan.json"));
    std::vector<std::string> models = {emitted_name("distilled"), emitted_name("baseline")};
    if (!file) models.push_back(recipe_.student.filename().string());
    for (const std::string& model : models) {
      outputs.push_back(output(model));
      outputs.push_back(output(model + ".data"));
    }
    require_kept(outputs, inputs);
  }

  /// A run that was killed is not thrown away by forgetting an option, or by another run, which
  /// would write over its log.
  void check_checkpoints() const {
    const auto refuse = [](const fs::path& found, const std::string& next) {
      throw_error(Category::kUsage, found.string(),
                  "the folder must not hold the checkpoint of an unfinished run", "one", next);
    };
    for (const auto& entry : fs::directory_iterator(job_.output)) {
      const fs::path& path = entry.path();
      if (path.extension() != ".checkpoint") continue;
      if (path != checkpoint("") && path != checkpoint(".baseline"))
        refuse(path, "choose another output folder, or delete it");
      if (!job_.resume) refuse(path, "go on with it by --resume, or delete it to start anew");
      if (path == checkpoint(".baseline") && !job_.baseline)
        refuse(path, "go on with it by --baseline, or delete it");
    }
  }

  MeasuredOn measured_on() const {
    if (eval_) return {*eval_, {}, job_.common.threads, job_.common.quiet};
    return {data(), measured_, job_.common.threads, job_.common.quiet};
  }

  TrainJob train_job(const Recipe& recipe, const Model* teacher, const std::string& name) const {
    TrainJob job = {.student = student_, .data = data()};
    job.teacher = teacher;
    job.training = split_.training;
    job.validation = split_.validation;
    job.recipe = recipe;
    job.identity = {recipe_hash(recipe), teacher == nullptr ? "" : model_files(recipe.teacher).hash,
                    model_files(student_file_).hash, source_->hash()};
    if (teacher != nullptr && !job_.teacher_cache.empty()) {
      job.teacher_cache = job_.teacher_cache;
      job.identity.teacher += " cached";
    }
    job.memory_budget = job_.memory_budget;
    job.checkpoint = checkpoint(name);
    job.log = output(name.empty() ? "train.jsonl" : "baseline.jsonl");
    if (quantized_) {
      job.step_sizes = quantized_->step_names();
      job.judged_as = [this](const Model& trained) {
        return finish_qat(*quantized_, trained).applied.model;
      };
    }
    job.resume = job_.resume;
    job.threads = job_.common.threads;
    job.quiet = job_.common.quiet;
    job.ranks = &world();
    return job;
  }

  TrainingRun training_run(const TrainResult& trained, const std::string& log) const {
    return {trained.steps, trained.epochs, trained.best_epoch, trained.stopped_early,
            read_train_log(output(log))};
  }

  /// "resnet.distilled.onnx", "resnet.w4a8.onnx", "resnet.w4a8.baseline.onnx".
  std::string emitted_name(const std::string& kind) const {
    if (!format_) return stem() + "." + kind + ".onnx";
    return teacher_stem() + "." + *format_ + (kind == "distilled" ? "" : "." + kind) + ".onnx";
  }

  /// plan.json beside it tells the ranges that were learned.
  void emit_quantized(const Model& trained, const fs::path& path) const {
    const QuantizedStudent result = finish_qat(*quantized_, trained);
    save_model(result.applied.model, path);
    if (path.filename() != emitted_name("distilled")) return;
    // Names in a model file need not be UTF-8.
    constexpr auto kReplace = nlohmann::json::error_handler_t::replace;
    write_file_atomically(path.parent_path() / "plan.json",
                          plan_to_json(result.plan).dump(2, ' ', false, kReplace) + "\n");
  }

  /// Where a model file of this run is written, to replace that of an earlier run at the end.
  static fs::path staged(const std::string& name, StagedFiles& files) {
    files.replaces(name + ".data");
    return files.folder() / name;
  }

  /// Saves a student and measures the file, as its user would load it.
  MeasuredModel emit(const Model& student, const std::string& kind, StagedFiles& files) const {
    const fs::path path = staged(emitted_name(kind), files);
    if (quantized_)
      emit_quantized(student, path);
    else
      save_model(student, path);
    return measure_file(path, teacher(), measured_on());
  }

  void train_baseline(StagedFiles& files) {
    Recipe recipe = recipe_;
    recipe.losses = label_losses(recipe.losses);
    const TrainResult trained = train(train_job(recipe, nullptr, ".baseline"));
    if (!leads_) return;
    inputs_.baseline_training = training_run(trained, "baseline.jsonl");
    inputs_.baseline = emit(trained.student, "baseline", files);
  }

  void report(StagedFiles& files) {
    inputs_.recipe = recipe_json(recipe_);
    inputs_.recipe_hash = recipe_hash(recipe_);
    inputs_.training_data_hash = source_->hash();
    inputs_.training_samples = static_cast<int64_t>(split_.training.size());
    inputs_.validation_samples = static_cast<int64_t>(split_.validation.size());
    inputs_.evaluation_data_hash = eval_ ? eval_->hash() : source_->hash();
    inputs_.evaluation_source = !eval_ ? "held-out samples of the training data"
                                : eval_->hash() == source_->hash() ? "the training data itself"
                                                                   : "separate data set";
    inputs_.run =
        current_run(running_command(), started_.utc(), started_.seconds(), job_.common.threads);
    const nlohmann::ordered_json document = make_distill_report(inputs_);
    write_distill_report(document, files.folder());
    files.publish("report.json");
    print_distill(document, job_.output, job_.common.json);
  }

  const DistillJob& job_;
  const bool leads_ = world().leads();  ///< else it only trains along, and writes nothing to keep
  JobClock started_ = JobClock::now();
  Recipe recipe_;
  fs::path student_file_;  ///< what is measured before; staged where limbeck makes it
  Model student_;
  std::optional<Model> teacher_;
  std::optional<std::string> request_;  ///< "macs=0.5" where the student is to be shrunk
  std::optional<ShrinkResult> shrunk_;
  std::optional<std::string> format_;  ///< where the student is the teacher, quantized
  std::optional<QatStudent> quantized_;
  std::unique_ptr<Dataset> source_;
  std::unique_ptr<Dataset> decoded_;
  std::unique_ptr<Dataset> eval_;
  DataSplit split_;
  std::vector<int64_t> measured_;  ///< samples that the report is measured on without --eval
  DistillReportInputs inputs_;
};

}  // namespace

void run_distill(const DistillJob& job) {
  keep_freed_memory();
  DistillJob own = job;
  own.common.threads = threads_of_rank(job.common.threads);
  if (world().leads()) {
    DistillRun(own).run();
    return;
  }
  // A student that is made from the teacher passes through a file on every rank.
  const ScratchFolder scratch;
  own.output = scratch.path().string();
  own.common.quiet = true;
  DistillRun(own).run();
}

}  // namespace limbeck
