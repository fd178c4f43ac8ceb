#include "examples/course/slides.hpp"

namespace cadena::examples::course {

const std::vector<Slide>& slides() {
  static const std::vector<Slide> all{
      neuron(), hebb(), exercise(), perceptron(), activations(), feedforward(), losses(), update(),
  };
  return all;
}

}  // namespace cadena::examples::course
