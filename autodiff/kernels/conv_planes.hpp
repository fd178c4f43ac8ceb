// The geometry of direct convolutions. The source is copied into planes, padded and parted by the phases of
// the stride, so that a tap of the kernel is an offset: targets that are neighbours read neighbours, whatever
// the stride, the dilation and the padding.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "autodiff/kernels/conv.hpp"

namespace cadena::kernels {

/// One axis of a convolution (source x, target y) or of its transpose (source y, target x). Target number t
/// among those of residue r, which is element t * residues + r, reads element t * step + shift of the source
/// for each tap of its residue; outside the source there are zeros.
struct ConvAxis {
  struct Tap {
    std::int64_t residue, shift;
  };
  std::int64_t source = 1, target = 1, step = 1, residues = 1;
  std::vector<Tap> taps{{0, 0}};

  /// How many targets have residue r.
  std::int64_t targets(std::int64_t r) const { return (target - r + residues - 1) / residues; }
};

/// A convolution or its transpose, and where a group's weights stand: that of tap k between channels s of the
/// source and t of the target at s * w_source + t * w_target + k.
struct ConvForm {
  std::int64_t batch, groups, sources, targets;  ///< channels of a group
  std::int64_t w_source, w_target, w_group;
  std::array<ConvAxis, 3> axes;

  std::int64_t source_size() const { return axes[0].source * axes[1].source * axes[2].source; }
  std::int64_t target_size() const { return axes[0].target * axes[1].target * axes[2].target; }
  /// Whether padding would make planes much larger than the source.
  bool is_sparse() const;
  std::int64_t taps() const {
    return static_cast<std::int64_t>(axes[0].taps.size() * axes[1].taps.size() * axes[2].taps.size());
  }
};
ConvForm conv_form(const ConvShape& s);
ConvForm transposed_form(const ConvShape& s);

/// The planes of a group's channels for `rows` rows of targets: one for each tap along the first axis and, if
/// they are parted, for each phase that some tap uses along the others.
class ConvPlanes {
 public:
  enum class Kind : std::uint8_t {
    parted,   ///< what neighbouring targets read is a step of 1 apart
    padded,   ///< it is a stride apart
    in_place  ///< as `padded`, and the source's own memory serves where it needs no padding
  };
  ConvPlanes(const ConvForm& form, std::int64_t rows, Kind kind);

  bool in_place() const { return in_place_; }
  std::int64_t size() const { return in_place_ ? 0 : channel_ * form_.sources; }  ///< elements of all planes
  std::int64_t row_step() const { return one_.along * pitch_; }  ///< from one row of targets to the next
  std::int64_t step() const { return two_.along; }               ///< from one target to the next

  /// The offsets of what the first target of these residues reads, for every channel and tap of theirs.
  std::vector<std::int64_t> offsets(const std::array<std::int64_t, 3>& residue) const;

  /// Fills planes for targets from row `row` on, number `slice` of residue `residue` along the first axis.
  /// `source` is the group's first channel. Returns where the planes are: `to`, or in the source.
  template <class T>
  const T* fill(const T* source, std::int64_t residue, std::int64_t slice, std::int64_t row, T* to) const;

 private:
  // What the taps of an axis read, from the least shift `low` on, in pieces of every `every`-th element.
  struct Line {
    std::int64_t low, reach = 0, every, along;  // reach: of the farthest tap; along: from target to target
    std::vector<std::int64_t> phase;            // of each piece
    std::vector<std::int64_t> piece, at;        // of each tap
    Line(const ConvAxis& a, bool parted);
    std::int64_t needs(std::int64_t targets) const { return (targets - 1) * along + reach + 1; }
  };
  bool fits_in_place() const;
  template <class T>
  void fill_plane(const T* slice, std::int64_t row, std::int64_t phase1, std::int64_t phase2, T* to) const;

  ConvForm form_;
  std::int64_t rows_;
  Line one_, two_;
  bool in_place_;
  std::int64_t pitch_, plane_, channel_;
};

}  // namespace cadena::kernels
