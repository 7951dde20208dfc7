#include <memory>
#include <string>

#include "tools/commands.h"
#include "tools/distill_job.h"

namespace limbeck {

void add_distill_command(CLI::App& app) {
  auto job = std::make_shared<DistillJob>();
  CLI::App* command =
      app.add_subcommand("distill", "Train a student on labels, on a teacher, or on both");
  command->add_option("--teacher", job->teacher, "ONNX file to learn from; none: labels alone");
  command->add_option(
      "--student", job->student,
      "ONNX file to train; or made from the teacher: shrink:macs=SHARE, shrink:size=SHARE, "
      "quantized:int8, w4a8, w4a4 or w2a8, docs/distillation.md");
  command->add_option("--data", job->data, "Training data set (JSON description)");
  command->add_option(
      "--eval", job->eval,
      "Data set to measure on; default: samples of --data that were not trained on");
  command->add_option("--recipe", job->recipe, "How to train (JSON, docs/formats/distill.md)");
  command->add_option("--domain", job->domain,
                      "Train on samples of these classes alone, classes=3,5,7");
  command->add_option("--teacher-cache", job->teacher_cache,
                      "Folder that keeps the teacher's answers; without augmentation only");
  command
      ->add_option("--memory-budget", job->memory_budget,
                   "Most bytes kept for backward passes, traded for time (0: any); K, M, G allowed")
      ->transform(CLI::AsSizeValue(false))
      ->check(CLI::NonNegativeNumber);
  command->add_option("--epochs", job->epochs, "Passes over the data, instead of the recipe's")
      ->check(CLI::Range(1, 100000));
  command->add_option("--batch", job->batch, "Samples of a batch, instead of the recipe's")
      ->check(CLI::Range(1, 1000000));
  command->add_flag("--resume", job->resume,
                    "Go on from the checkpoint of an earlier run, where there is one");
  command->add_flag("--baseline", job->baseline,
                    "Also train the same student without the teacher, and compare");
  command->add_option("-o,--output", job->output, "Output folder")->required();
  add_common_options(command, &job->common);
  command->footer(
      "Writes STUDENT.distilled.onnx, report.json, report.html and train.jsonl. A run that was\n"
      "killed goes on with --resume to the same bytes.\n\n"
      "Examples:\n"
      "  limbeck distill --teacher t.onnx --student s.onnx --data train.json --eval test.json "
      "-o out\n"
      "  limbeck distill --teacher t.onnx --student shrink:macs=0.5 --data train.json -o out\n"
      "  limbeck distill --student s.onnx --data train.json --epochs 30 -o out\n"
      "  limbeck distill --recipe distill.json --baseline -o out --resume\n"
      "  mpirun -np 4 limbeck distill --recipe distill.json -o out    # docs/distributed.md");
  command->callback([job, command] {
    job->own_seed = command->count("--seed") > 0;
    run_distill(*job);
  });
}

}  // namespace limbeck
