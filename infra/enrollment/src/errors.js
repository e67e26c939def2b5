/**
 * Why a run ends early.
 *
 *   Error
 *   ├── Later     passes by itself: quota, overload, a lost connection; the next run goes on from here
 *   ├── Invalid   Firestore does not take what is asked, whoever asks; never leaves firestore.js
 *   └── Refused   an administrator has to do something; Google mails it to the one who ran Set up
 */

class Later extends Error {}

class Invalid extends Error {}

class Refused extends Error {}
