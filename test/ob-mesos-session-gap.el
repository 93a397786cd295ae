;;; ob-mesos-session-gap.el --- How long Emacs is busy at a stretch  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A timer of 2 ms notes how late it comes.

;;; Code:

(defvar ob-mesos-session-gap--longest 0 "The longest gap so far, in seconds.")
(defvar ob-mesos-session-gap--garbage 0 "How much of it was garbage collection.")
(defvar ob-mesos-session-gap--collected 0 "`gc-elapsed' when the timer came last.")
(defvar ob-mesos-session-gap--last nil "When the timer came last, or nil.")

(defun ob-mesos-session-gap--tick ()
  "Note the time and come again."
  (let* ((now (float-time))
         (gap (- now (or ob-mesos-session-gap--last now))))
    (when (> gap ob-mesos-session-gap--longest)
      (setq ob-mesos-session-gap--longest gap
            ob-mesos-session-gap--garbage
            (- gc-elapsed ob-mesos-session-gap--collected)))
    (setq ob-mesos-session-gap--last now
          ob-mesos-session-gap--collected gc-elapsed))
  ;; A repeating timer would try to make up for lost time.
  (run-at-time 0.002 nil #'ob-mesos-session-gap--tick))

(defun ob-mesos-session-gap-start ()
  "Begin to measure."
  (interactive)
  (ob-mesos-session-gap--tick))

(defun ob-mesos-session-gap-save ()
  "Write the longest gap, and its garbage collection, into the file \"gap\"."
  (interactive)
  (write-region (format "%S\n" (list ob-mesos-session-gap--longest
                                     ob-mesos-session-gap--garbage))
                nil "gap.new" nil 'quiet)
  (rename-file "gap.new" "gap"))

(provide 'ob-mesos-session-gap)
;;; ob-mesos-session-gap.el ends here
