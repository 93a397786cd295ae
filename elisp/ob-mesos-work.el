;;; ob-mesos-work.el --- Work in slices  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; A queue of functions that timers call in slices of some milliseconds, so
;; that Emacs stays responsive, and the loop that waits for their effects.

;;; Code:

;;;; Timers

(defvar ob-mesos--timers-kept nil "Non-nil within `ob-mesos--with-timers'.")

(defun ob-mesos--with-timers (function &rest arguments)
  "Call FUNCTION with ARGUMENTS; add new timers to the global `timer-list'.
TRAMP binds `timer-list' while it waits for a process.  Timers that a
process filter adds to that binding are dropped when it ends."
  (if ob-mesos--timers-kept
      (apply function arguments)
    (let ((ob-mesos--timers-kept t)
          (timer-list (default-toplevel-value 'timer-list)))
      (unwind-protect
          (apply function arguments)
        (set-default-toplevel-value 'timer-list timer-list)))))

;;;; Work in slices

(defvar ob-mesos--slice (if noninteractive 1.0e6 0.008)
  "Seconds to work at a time; small where a user waits to type.")

(defvar ob-mesos--work nil "Functions to call, in order.")
(defvar ob-mesos--work-tail nil "The last cons of `ob-mesos--work'.")
(defvar ob-mesos--work-timer nil "The timer that does the work.")

(defvar ob-mesos--working nil "Non-nil while the work is done.")

(defun ob-mesos--enqueue (function &rest arguments)
  "Call FUNCTION with ARGUMENTS soon, after all that was put off before."
  (let ((cell (list (cons function arguments))))
    (if ob-mesos--work
        (setcdr ob-mesos--work-tail cell)
      (setq ob-mesos--work cell))
    (setq ob-mesos--work-tail cell))
  (ob-mesos--schedule-work))

(defun ob-mesos--schedule-work ()
  "See to it that the work is done."
  (unless ob-mesos--work-timer
    (setq ob-mesos--work-timer (run-at-time 0 nil #'ob-mesos--do-work))))

(defvar ob-mesos--waiting nil
  "Non-nil while somebody waits for a task; then input is no reason to stop.")

(defun ob-mesos--do-work ()
  "Do what was put off, for one slice, or until there is input."
  ;; The timer that has called us stays in its variable meanwhile, for work
  ;; may put off more work, and that must not start a second timer.
  (let ((end (+ (float-time) ob-mesos--slice))
        (ob-mesos--working t))
    (unwind-protect
        (while (and ob-mesos--work
                    (< (float-time) end)
                    (or ob-mesos--waiting (not (input-pending-p))))
          (ob-mesos--do-job (pop ob-mesos--work)))
      (setq ob-mesos--work-timer
            (and ob-mesos--work
                 (run-at-time 0.002 nil #'ob-mesos--do-work))))))

(defun ob-mesos--do-job (job)
  "Do JOB, a function with its arguments.
A quit is meant for another command, so it takes effect after JOB, except
within `ob-mesos--with-quit'."
  (save-match-data
    (let ((inhibit-quit t)
          ;; That of TRAMP, which waits for a process, shows the errors of others.
          (signal-hook-function nil))
      (condition-case-unless-debug err
          (apply (car job) (cdr job))
        ((error quit)
         (message "ob-mesos: %s" (error-message-string err)))))))

(defmacro ob-mesos--with-quit (&rest body)
  "Evaluate BODY, with functions of the user in it, so that it can be quit.
A quit that was pending before stays pending."
  (declare (indent 0) (debug t))
  `(let ((quit-flag nil) (inhibit-quit nil))
     ,@body))

(defun ob-mesos--run-user-hook (hook &rest arguments)
  "Call the functions of HOOK, which are the user's, with ARGUMENTS.
They can be quit.  An error of one is shown, and the next one is called."
  (apply #'run-hook-wrapped hook
         (lambda (function &rest arguments)
           (condition-case-unless-debug err
               (ob-mesos--with-quit
                 (apply function arguments))
             ((error quit)
              (message "ob-mesos: %s: %s" hook (error-message-string err))))
           nil)
         arguments))

;;;; Answers for a buffer

(defmacro ob-mesos--with-live-buffer (buffer &rest body)
  "Evaluate BODY in BUFFER, unless it was killed meanwhile."
  (declare (indent 1) (debug t))
  `(when (buffer-live-p ,buffer)
     (with-current-buffer ,buffer
       ,@body)))

;;;; Waiting

(defun ob-mesos--wait (done)
  "Wait for DONE to return non-nil and return that.
Quitting stops the waiting and nothing else."
  (if ob-mesos--working
      ;; What is waited for is work too, and must not wait for its turn.
      (let ((ob-mesos--working nil)
            (ob-mesos--work-timer nil))
        (ob-mesos--wait done))
    (if (and timer-list (eq timer-list (default-toplevel-value 'timer-list)))
        (ob-mesos--wait-here done)
      (ob-mesos--with-timers #'ob-mesos--wait-here done))))

(defun ob-mesos--wait-here (done)
  "Wait for DONE to return non-nil, with a progress reporter; return that."
  (let ((ob-mesos--waiting t)
        (inhibit-quit nil)
        (start (float-time))
        (reporter nil)
        (value nil))
    (save-match-data
      (while (not (setq value (funcall done)))
        (accept-process-output nil 0.05)
        (unless noninteractive
          (if reporter
              (progress-reporter-update reporter)
            (when (> (- (float-time) start) 0.5)
              (setq reporter (make-progress-reporter
                              "Waiting for the cluster (C-g stops waiting)..."))))
          (redisplay))
        (when (and ob-mesos--work (not ob-mesos--work-timer))
          (ob-mesos--schedule-work))))
    (when reporter
      (progress-reporter-done reporter))
    value))

(provide 'ob-mesos-work)
;;; ob-mesos-work.el ends here
