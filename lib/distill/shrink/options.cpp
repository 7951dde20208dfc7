#include "lib/distill/shrink/options.h"

#include <array>
#include <charconv>
#include <cmath>
#include <string_view>

#include "lib/base/error.h"

namespace limbeck {
namespace {

[[noreturn]] void wrong(const std::string& place, const std::string& rule,
                        const std::string& received) {
  throw_error(Category::kUsage, place, rule, received,
              "write for example shrink:macs=0.5 or shrink:size=0.25,blocks=2");
}

template <typename T>
T number(const std::string& text, const std::string& place, const char* what) {
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size())
    wrong(place, std::string("the value must be ") + what, "'" + text + "'");
  return value;
}

double share(const std::string& text, const std::string& place) {
  return number<double>(text, place, "a number");
}

int64_t whole(const std::string& text, const std::string& place) {
  return number<int64_t>(text, place, "a whole number");
}

void set_blocks(ShrinkOptions& options, const std::string& text, const std::string& place) {
  options.blocks.reset();
  if (text == "false") options.blocks = 0;
  if (text != "false" && text != "true") options.blocks = whole(text, place);
}

void set_importance(ShrinkOptions& options, const std::string& text, const std::string& place) {
  if (text != "gradients" && text != "weights")
    wrong(place, "the value must be gradients or weights", "'" + text + "'");
  options.importance =
      text == "weights" ? ImportanceSource::kWeights : ImportanceSource::kGradients;
}

void set_batch_norm(ShrinkOptions& options, const std::string& text, const std::string& place) {
  if (text != "true" && text != "false")
    wrong(place, "the value must be true or false", "'" + text + "'");
  options.batch_norm = text == "true";
}

void set_weights(ShrinkOptions& options, const std::string& text, const std::string& place) {
  if (text != "inherited" && text != "random")
    wrong(place, "the value must be inherited or random", "'" + text + "'");
  options.random_weights = text == "random";
}

struct Key {
  std::string_view name;
  void (*set)(ShrinkOptions&, const std::string& text, const std::string& place);
};

using Text = const std::string&;
constexpr std::array<Key, 10> kKeys = {{
    {"macs", [](ShrinkOptions& o, Text t, Text p) { o.macs = share(t, p); }},
    {"size", [](ShrinkOptions& o, Text t, Text p) { o.size = share(t, p); }},
    {"blocks", set_blocks},
    {"min_share", [](ShrinkOptions& o, Text t, Text p) { o.min_share = share(t, p); }},
    {"min_channels", [](ShrinkOptions& o, Text t, Text p) { o.min_channels = whole(t, p); }},
    {"multiple", [](ShrinkOptions& o, Text t, Text p) { o.multiple = whole(t, p); }},
    {"importance", set_importance},
    {"samples", [](ShrinkOptions& o, Text t, Text p) { o.samples = whole(t, p); }},
    {"batch_norm", set_batch_norm},
    {"weights", set_weights},
}};

void read_pair(ShrinkOptions& options, const std::string& pair, const std::string& place) {
  const size_t equals = pair.find('=');
  const std::string name = pair.substr(0, equals);
  std::string known;
  for (const Key& key : kKeys) {
    known += known.empty() ? "" : ", ";
    known += key.name;
    if (key.name != name || equals == std::string::npos) continue;
    std::string where = place;
    where.append(" ").append(name);
    key.set(options, pair.substr(equals + 1), where);
    return;
  }
  wrong(place, "it must be a list of key=value with the keys " + known, "'" + pair + "'");
}

void check(bool holds, const std::string& place, const std::string& rule, double received) {
  if (holds) return;
  std::string text = std::to_string(received);
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  wrong(place, rule, text);
}

void check_share(const std::optional<double>& value, const std::string& place) {
  if (value)
    check(*value > 0 && *value < 1, place, "the share that stays must be above 0 and below 1",
          *value);
}

}  // namespace

void check_shrink_options(const ShrinkOptions& options, const std::string& place) {
  if (options.macs.has_value() == options.size.has_value()) {
    wrong(place, "exactly one of macs and size must be given",
          options.macs ? "both of them" : "neither of them");
  }
  check_share(options.macs, place + " macs");
  check_share(options.size, place + " size");
  const auto at_least = [&place](const char* name, int64_t value, int64_t least) {
    check(value >= least, place + " " + name, "the value must be at least " + std::to_string(least),
          static_cast<double>(value));
  };
  at_least("blocks", options.blocks.value_or(0), 0);
  at_least("min_channels", options.min_channels, 1);
  at_least("multiple", options.multiple, 1);
  at_least("samples", options.samples, 1);
  check(options.min_share >= 0 && options.min_share <= 1, place + " min_share",
        "the value must be from 0 to 1", options.min_share);
}

ShrinkOptions parse_shrink(const std::string& text, const std::string& place) {
  ShrinkOptions options;
  for (size_t start = 0; start <= text.size();) {
    const size_t end = std::min(text.find(',', start), text.size());
    read_pair(options, text.substr(start, end - start), place);
    start = end + 1;
  }
  check_shrink_options(options, place);
  return options;
}

}  // namespace limbeck
