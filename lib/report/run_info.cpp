#include <sys/resource.h>
#include <sys/utsname.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <thread>

#include "lib/report/report.h"

namespace limbeck {
namespace {

/// Empty where the system does not tell it.
std::string cpu_model() {
  std::ifstream file("/proc/cpuinfo");
  std::string line;
  while (std::getline(file, line)) {
    const size_t colon = line.find(':');
    if (line.rfind("model name", 0) == 0 && colon != std::string::npos) {
      const size_t start = line.find_first_not_of(" \t", colon + 1);
      return start == std::string::npos ? "" : line.substr(start);
    }
  }
  return "";
}

std::string host_description() {
  utsname system{};
  if (uname(&system) != 0) return cpu_model();
  const std::string name = std::string(system.sysname) + " " + system.release;
  const std::string cpu = cpu_model();
  return (cpu.empty() ? std::string(system.machine) : cpu) + ", " + name;
}

}  // namespace

RunInfo current_run(const std::string& command, const std::string& started, double seconds,
                    int threads) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  RunInfo run;
  run.command = command;
  run.started = started;
  run.seconds = seconds;
  const auto cores = static_cast<int>(std::max(1U, std::thread::hardware_concurrency()));
  run.threads = threads > 0 ? threads : cores;
  run.host = host_description();
  run.peak_memory_bytes = static_cast<int64_t>(usage.ru_maxrss) * 1024;  // Linux counts in KiB
  return run;
}

}  // namespace limbeck
