;;; ob-mesos-undo.el --- Changes that undo does not know of  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; What a task writes into a buffer is not recorded for undo: the positions
;; in the undo list are moved instead, so that a user's own edits stay
;; undoable, each at its place.

;;; Code:

(require 'cl-lib)

(defun ob-mesos--moved (position from to delta)
  "Where POSITION is after FROM to TO was replaced and all beyond moved by DELTA."
  (cond ((>= position to) (+ position delta))
        ((> position from) from)
        (t position)))

(defun ob-mesos--shift-undo (list from to delta)
  "In the undo LIST account for a change it does not record.
FROM to TO was replaced, and what follows has moved by DELTA.  Each
older entry sees the buffer as it was before the newer ones, so the
region is taken back through them on the way.  Return the list, cut
short where an entry and the change cannot be told apart."
  (let ((cell list) (previous nil) (result list))
    (while cell
      (let ((entry (car cell)))
        (pcase entry
          ((pred integerp)
           (setcar cell (ob-mesos--moved entry from to delta)))
          (`(,(and (pred integerp) beg) . ,(and (pred integerp) end))
           (cond
            ((<= to beg)
             (setcar cell (cons (+ beg delta) (+ end delta))))
            ((>= from end)
             (setq from (- from (- end beg))
                   to (- to (- end beg))))
            ((and (>= from beg) (<= to end))
             ;; Within text that was not there before: older entries
             ;; know nothing of it.
             (setcar cell (cons beg (+ end delta)))
             (setq delta 0 cell nil))
            (t
             (if previous (setcdr previous nil) (setq result nil))
             (setq cell nil))))
          (`(,(and (pred stringp) text) . ,(and (pred integerp) pos))
           (let ((at (abs pos)) (length (length text)))
             (cond
              ((<= to at)
               (setcar cell (cons text (* (if (< pos 0) -1 1) (+ at delta)))))
              ((>= from at)
               (setq from (+ from length)
                     to (+ to length)))
              (t
               (setcar cell (cons text (* (if (< pos 0) -1 1) from)))
               (setq to (+ to length))))))
          (`(nil ,prop ,value ,(and (pred integerp) beg)
                 . ,(and (pred integerp) end))
           (setcar cell `(nil ,prop ,value
                              ,(ob-mesos--moved beg from to delta)
                              . ,(ob-mesos--moved end from to delta))))
          (`(apply ,(and (pred integerp) change)
                   ,(and (pred integerp) beg) ,(and (pred integerp) end)
                   . ,rest)
           (setcar cell `(apply ,change ,(ob-mesos--moved beg from to delta)
                                ,(ob-mesos--moved end from to delta) . ,rest))
           (when (>= from end)
             (setq from (- from change) to (- to change))))))
      (when cell
        (setq previous cell
              cell (cdr cell))))
    result))

(defun ob-mesos--quietly (function)
  "Call FUNCTION, which is to edit the buffer, without a record for undo.
No lock is asked for and no question whether the file has changed."
  (let* ((undo buffer-undo-list)
         (changes nil)
         (note (lambda (beg end length) (push (list beg end length) changes))))
    (unwind-protect
        (let ((buffer-undo-list t)
              (buffer-file-truename nil)
              (inhibit-read-only t)
              (inhibit-message t))
          (add-hook 'after-change-functions note -50 t)
          (funcall function))
      (remove-hook 'after-change-functions note t)
      (unless (eq undo t)
        (pcase-dolist (`(,beg ,end ,length) (nreverse changes))
          (setq undo (ob-mesos--shift-undo undo beg (+ beg length)
                                           (- (- end beg) length))))
        (setq buffer-undo-list undo)))))

(defun ob-mesos--replace-lines (beg end text)
  "Put TEXT in place of BEG to END; point and windows keep line and column."
  (let ((window-points
         (cl-loop for window in (get-buffer-window-list nil nil t)
                  for point = (window-point window)
                  when (and (> point beg) (< point end))
                  collect (cons window (ob-mesos--line-and-column beg point))))
        (own (and (> (point) beg) (< (point) end)
                  (ob-mesos--line-and-column beg (point)))))
    (save-excursion
      (goto-char beg)
      (delete-region beg end)
      (insert text))
    (when own
      (goto-char (ob-mesos--at-line-and-column beg (length text) own)))
    (pcase-dolist (`(,window . ,where) window-points)
      (set-window-point
       window (ob-mesos--at-line-and-column beg (length text) where)))))

(defun ob-mesos--line-and-column (beg position)
  "The line, counted from BEG, and the column of POSITION."
  (save-excursion
    (goto-char position)
    (cons (count-lines beg (line-beginning-position))
          (- position (line-beginning-position)))))

(defun ob-mesos--at-line-and-column (beg length where)
  "The position of WHERE in the LENGTH characters from BEG."
  (save-excursion
    (goto-char beg)
    (forward-line (car where))
    (min (+ beg length) (line-end-position) (+ (point) (cdr where)))))

(provide 'ob-mesos-undo)
;;; ob-mesos-undo.el ends here
