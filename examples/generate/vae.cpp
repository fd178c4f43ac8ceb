#include "examples/generate/vae.hpp"

#include "autodiff/autodiff.hpp"

namespace cadena::examples {
namespace {

constexpr std::int64_t outer = 512, inner = 256;  // hidden units next to the pixels, next to the code

}  // namespace

Tensor Posterior::sample() const { return mean + exp(log_variance * 0.5) * randn_like(mean); }

Tensor Posterior::divergence() const {
  return 0.5 * sum(exp(log_variance) + mean * mean - 1 - log_variance, 1);
}

Vae::Vae(std::int64_t rows, std::int64_t columns, std::int64_t latent)
    : encode1(rows * columns, outer),
      encode2(outer, inner),
      to_mean(inner, latent),
      to_log_variance(inner, latent),
      decode1(latent, inner),
      decode2(inner, outer),
      to_pixels(outer, rows * columns),
      rows_(rows),
      columns_(columns) {}

Posterior Vae::encode(const Tensor& images) {
  const Tensor h = relu(encode2(relu(encode1(images.flatten(1)))));
  return {to_mean(h), to_log_variance(h)};
}

Tensor Vae::decode(const Tensor& codes) {
  const Tensor pixels = to_pixels(relu(decode2(relu(decode1(codes)))));
  return pixels.reshape({pixels.size(0), rows_, columns_});
}

Tensor Vae::draw(const Tensor& codes) { return sigmoid(decode(codes)); }

void Vae::visit(nn::Visitor& v) {
  v("encode1", encode1);
  v("encode2", encode2);
  v("to_mean", to_mean);
  v("to_log_variance", to_log_variance);
  v("decode1", decode1);
  v("decode2", decode2);
  v("to_pixels", to_pixels);
}

Tensor Elbo::bound() const { return likelihood - divergence; }

Elbo elbo(Vae& vae, const Tensor& images) {
  const Posterior posterior = vae.encode(images);
  const Tensor logits = vae.decode(posterior.sample());
  const double n = static_cast<double>(images.size(0));
  return {.likelihood = -binary_cross_entropy_with_logits(logits, images, Reduction::sum) / n,
          .divergence = mean(posterior.divergence())};
}

}  // namespace cadena::examples
