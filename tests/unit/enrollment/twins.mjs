// Services of Google's that only compute.
import { createHash } from 'node:crypto';

export const Utilities = {
  DigestAlgorithm: { SHA_256: 'sha256' },
  Charset: { UTF_8: 'utf8' },
  /** Signed bytes, as Java has them. */
  computeDigest: (algorithm, text, charset) => [...new Int8Array(createHash(algorithm).update(text, charset).digest())],
};
