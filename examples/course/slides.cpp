#include "examples/course/slides.hpp"

namespace cadena::examples::course {

const std::vector<Slide>& slides() {
  static const std::vector<Slide> all{
      neuron(),   hebb(),   exercise(), perceptron(), structure(), activations(), feedforward(),  losses(),
      backprop(), update(), descent(),  adam(),       sequence(),  digits(),      applications(),
  };
  return all;
}

}  // namespace cadena::examples::course
