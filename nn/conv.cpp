#include "nn/conv.hpp"

#include <algorithm>
#include <cmath>

#include "nn/init.hpp"

namespace cadena::nn {

namespace {

std::int64_t at(const PerAxis& numbers, int i) { return numbers.rank() == 1 ? numbers[0] : numbers[i]; }

/// "(3, 3)" from 3: as PyTorch prints it.
std::string spread(const PerAxis& numbers, int rank) {
  PerAxis all;
  for (int i = 0; i < rank; ++i) all.push_back(at(numbers, i));
  return to_string(all);
}
bool all_are(const PerAxis& numbers, std::int64_t n) {
  return std::all_of(numbers.begin(), numbers.end(), [n](auto v) { return v == n; });
}

void check_count(const char* what, const PerAxis& numbers, int rank) {
  if (numbers.rank() != 1 && numbers.rank() != rank)
    throw ValueError("[Conv" + std::to_string(rank) + "d] expected " + what + " of 1 or " +
                     std::to_string(rank) + " numbers, got " + to_string(numbers));
}

/// Channels of weight's first two dimensions and the kernel.
Tensor empty_weight(int rank, std::int64_t first, std::int64_t second, std::int64_t groups,
                    const PerAxis& kernel_size, DType dtype) {
  check_count("kernel_size", kernel_size, rank);
  if (groups < 1 || first % groups != 0 || second % groups != 0)
    throw ValueError(
        "[Conv" + std::to_string(rank) + "d] expected groups that divide both numbers of channels, got " +
        std::to_string(groups) + " for " + std::to_string(first) + " and " + std::to_string(second));
  Shape shape{first, second / groups};
  for (int i = 0; i < rank; ++i) shape.push_back(at(kernel_size, i));
  return empty(shape, dtype);
}

/// PyTorch's default: kaiming_uniform_ with slope sqrt(5), and a bias within the same bounds.
void reset(Tensor weight, const Tensor& bias) {
  init::kaiming_uniform_(weight, {.slope = std::sqrt(5.0)});
  const auto in = init::fans(weight).in;
  const auto bound = in > 0 ? 1 / std::sqrt(static_cast<double>(in)) : 0;
  if (bias.defined()) init::uniform_(bias, -bound, bound);
}

std::string common_repr(std::int64_t in, std::int64_t out, const PerAxis& kernel_size, int rank,
                        const PerAxis& stride) {
  return std::to_string(std::max<std::int64_t>(in, 0)) + ", " + std::to_string(out) +
         ", kernel_size=" + spread(kernel_size, rank) + ", stride=" + spread(stride, rank);
}

/// Channels of the first input of a lazy layer: the last axis but `rank`.
std::int64_t channels_of(const Tensor& x, int rank) {
  if (x.dim() != rank + 1 && x.dim() != rank + 2)
    throw ShapeError("[lazy] expected a first input of " + std::to_string(rank + 1) + " or " +
                     std::to_string(rank + 2) + " dimensions, got " + to_string(x.shape()));
  return x.size(-rank - 1);
}

PadMode pad_mode(PaddingMode mode) {
  return mode == PaddingMode::reflect     ? PadMode::reflect
         : mode == PaddingMode::replicate ? PadMode::replicate
         : mode == PaddingMode::circular  ? PadMode::circular
                                          : PadMode::constant;
}

}  // namespace

Conv::Conv(int rank, std::int64_t in_channels, std::int64_t out_channels, const PerAxis& kernel_size,
           const ConvOptions& o)
    : rank_(rank),
      in_channels_(in_channels),
      out_channels_(out_channels),
      kernel_size_(kernel_size),
      options_(o) {
  for (const auto& [what, numbers] : {std::pair<const char*, const PerAxis*>{"stride", &o.stride},
                                      {"dilation", &o.dilation},
                                      {"padding", &o.padding}})
    if (numbers != &o.padding || !o.padding.is_same()) check_count(what, *numbers, rank);
  if (in_channels != inferred) make(in_channels, o.dtype);
}

void Conv::make(std::int64_t in_channels, DType dtype) {
  weight = empty_weight(rank_, out_channels_, in_channels, options_.groups, kernel_size_, dtype);
  if (options_.bias) bias = empty({out_channels_}, dtype);
  in_channels_ = in_channels;
  reset_parameters();
}

void Conv::reset_parameters() { reset(weight, bias); }

Tensor Conv::padded(const Tensor& x) const {
  std::vector<Padding> margins;  // of the last dimension first
  for (int i = rank_ - 1; i >= 0; --i) {
    const bool same = options_.padding.is_same();
    const std::int64_t reach = at(options_.dilation, i) * (weight.size(i + 2) - 1);
    const std::int64_t before = same ? reach / 2 : at(options_.padding, i);
    margins.push_back({before, same ? reach - before : before});
  }
  return pad(x, margins, pad_mode(options_.padding_mode));
}

Tensor Conv::forward(const Tensor& x) {
  if (!weight.defined()) make(channels_of(x, rank_), detail::parameter_dtype(x));
  const bool zeros = options_.padding_mode == PaddingMode::zeros;
  const cadena::ConvOptions o{.stride = options_.stride,
                              .padding = zeros ? options_.padding : ConvPadding::valid,
                              .dilation = options_.dilation,
                              .groups = options_.groups};
  const Tensor in = zeros ? x : padded(x);
  return rank_ == 1   ? conv1d(in, weight, bias, o)
         : rank_ == 2 ? conv2d(in, weight, bias, o)
                      : conv3d(in, weight, bias, o);
}

std::int64_t Conv::macs(const std::vector<Shape>&, const std::vector<Shape>& outputs) const {
  return outputs[0].numel() * (weight.numel() / weight.size(0));
}

void Conv::visit(Visitor& v) {
  if (!weight.defined()) return v.uninitialized("weight");
  v("weight", weight);
  v("bias", bias);
}

std::string Conv::extra_repr() const {
  const auto& o = options_;
  auto text = common_repr(in_channels_, out_channels_, kernel_size_, rank_, o.stride);
  if (o.padding.is_same())
    text += ", padding=same";
  else if (!all_are(o.padding, 0))
    text += ", padding=" + spread(o.padding, rank_);
  if (!all_are(o.dilation, 1)) text += ", dilation=" + spread(o.dilation, rank_);
  if (o.groups != 1) text += ", groups=" + std::to_string(o.groups);
  if (!o.bias) text += ", bias=False";
  constexpr const char* modes[] = {"zeros", "reflect", "replicate", "circular"};
  if (o.padding_mode != PaddingMode::zeros)
    text += std::string(", padding_mode=") + modes[static_cast<int>(o.padding_mode)];
  return text;
}

ConvTranspose::ConvTranspose(int rank, std::int64_t in_channels, std::int64_t out_channels,
                             const PerAxis& kernel_size, const ConvTransposeOptions& o)
    : rank_(rank),
      in_channels_(in_channels),
      out_channels_(out_channels),
      kernel_size_(kernel_size),
      options_(o) {
  check_count("stride", o.stride, rank);
  check_count("dilation", o.dilation, rank);
  check_count("padding", o.padding, rank);
  check_count("output_padding", o.output_padding, rank);
  if (in_channels != inferred) make(in_channels, o.dtype);
}

void ConvTranspose::make(std::int64_t in_channels, DType dtype) {
  weight = empty_weight(rank_, in_channels, out_channels_, options_.groups, kernel_size_, dtype);
  if (options_.bias) bias = empty({out_channels_}, dtype);
  in_channels_ = in_channels;
  reset_parameters();
}

void ConvTranspose::reset_parameters() { reset(weight, bias); }

Tensor ConvTranspose::forward(const Tensor& x, const PerAxis& output_size) {
  if (!weight.defined()) make(channels_of(x, rank_), detail::parameter_dtype(x));
  cadena::ConvTransposeOptions o{.stride = options_.stride,
                                 .padding = options_.padding,
                                 .output_padding = options_.output_padding,
                                 .groups = options_.groups,
                                 .dilation = options_.dilation};
  if (!output_size.empty()) {
    check_count("output_size", output_size, rank_);
    o.output_padding = {};
    for (int i = 0; i < rank_ && x.dim() > rank_; ++i) {
      const std::int64_t least = (x.size(i - rank_) - 1) * at(o.stride, i) - 2 * at(o.padding, i) +
                                 at(o.dilation, i) * (weight.size(i + 2) - 1) + 1;
      const std::int64_t more = at(output_size, i) - least;
      if (more < 0 || more >= at(o.stride, i))
        throw ValueError("[" + type_name() + "] expected an output_size from " + std::to_string(least) +
                         ", by less than the stride, got " + cadena::to_string(output_size));
      o.output_padding.push_back(more);
    }
  }
  return rank_ == 1   ? conv_transpose1d(x, weight, bias, o)
         : rank_ == 2 ? conv_transpose2d(x, weight, bias, o)
                      : conv_transpose3d(x, weight, bias, o);
}

std::int64_t ConvTranspose::macs(const std::vector<Shape>& inputs, const std::vector<Shape>&) const {
  return inputs[0].numel() * (weight.numel() / weight.size(0));
}

void ConvTranspose::visit(Visitor& v) {
  if (!weight.defined()) return v.uninitialized("weight");
  v("weight", weight);
  v("bias", bias);
}

std::string ConvTranspose::extra_repr() const {
  const auto& o = options_;
  auto text = common_repr(in_channels_, out_channels_, kernel_size_, rank_, o.stride);
  if (!all_are(o.padding, 0)) text += ", padding=" + spread(o.padding, rank_);
  if (!all_are(o.dilation, 1)) text += ", dilation=" + spread(o.dilation, rank_);
  if (!all_are(o.output_padding, 0)) text += ", output_padding=" + spread(o.output_padding, rank_);
  if (o.groups != 1) text += ", groups=" + std::to_string(o.groups);
  if (!o.bias) text += ", bias=False";
  return text;
}

}  // namespace cadena::nn
