;;; ob-mesos-undo.el --- Changes that are not recorded for undo  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Changes the buffer for a task without recording the changes for undo.
;; The submission of a task is one entry of the undo list.  The changes of
;; its status, its last lines and its result are not recorded.  Instead, the
;; positions in the undo list are adjusted, and the entry of the submission
;; is extended to the inserted text, so that undoing the submission removes
;; that text.  The user can still undo other edits.
;;
;; The positions of an entry of the undo list are valid in the buffer as it
;; was before the newer entries.  Therefore each unrecorded change is
;; translated through the list, as `undo-make-selective-list' does with a
;; region.

;;; Code:

(require 'cl-lib)
(require 'subr-x)

;;;; Changes

(cl-defstruct (ob-mesos--change (:constructor ob-mesos--change-make)
                                (:copier nil))
  "A change of the buffer: OLD, which began at BEG, is now what is up to END."
  (beg nil :documentation "Where it begins, or nil if nothing has changed.")
  (end nil :documentation "Where the new text ends.")
  (old "" :documentation "The old text.")
  (error nil :documentation "The error that has ended it, or nil."))

(defun ob-mesos--change-signal (change)
  "Signal the error that has ended CHANGE, if there is one."
  (when-let ((err (ob-mesos--change-error change)))
    (signal (car err) (cdr err))))

(defun ob-mesos--change-extend (change beg end)
  "Extend CHANGE so that it covers BEG to END of the buffer.
What it does not cover has not changed, so that is old text too."
  (let ((old-beg (or (ob-mesos--change-beg change) beg))
        (old-end (or (ob-mesos--change-end change) beg)))
    (setf (ob-mesos--change-old change)
          (concat (and (< beg old-beg) (buffer-substring beg old-beg))
                  (ob-mesos--change-old change)
                  (and (> end old-end) (buffer-substring old-end end)))
          (ob-mesos--change-beg change) (min beg old-beg)
          (ob-mesos--change-end change) (max end old-end))))

(defun ob-mesos--change-old-end (change)
  "Return where the old text of CHANGE ended."
  (+ (ob-mesos--change-beg change) (length (ob-mesos--change-old change))))

(defun ob-mesos--change-delta (change)
  "Return by how many characters CHANGE has made the buffer longer."
  (- (ob-mesos--change-end change) (ob-mesos--change-old-end change)))

(defun ob-mesos--revert-change (change)
  "Put the old text of CHANGE back in its place."
  (when (ob-mesos--change-beg change)
    (ob-mesos--replace-lines (ob-mesos--change-beg change)
                             (ob-mesos--change-end change)
                             (ob-mesos--change-old change))))

(defun ob-mesos--without-undo (function)
  "Call FUNCTION, which edits the buffer, without a record for undo.
Return the `ob-mesos--change' that it has made, also if it ends with an
error.  No lock is asked for, and no question whether the file has
changed."
  (let* ((change (ob-mesos--change-make))
         (before (lambda (beg end) (ob-mesos--change-extend change beg end)))
         (after (lambda (beg end length)
                  (cl-incf (ob-mesos--change-end change) (- end beg length)))))
    (unwind-protect
        (let ((buffer-undo-list t)
              (buffer-file-truename nil)
              (inhibit-read-only t)
              (inhibit-message t))
          (add-hook 'before-change-functions before 90 t)
          (add-hook 'after-change-functions after -90 t)
          (condition-case err
              (funcall function)
            ((error quit) (setf (ob-mesos--change-error change) err))))
      (remove-hook 'before-change-functions before t)
      (remove-hook 'after-change-functions after t))
    change))

;;;; The undo list

(defun ob-mesos--moved (position from to delta)
  "Return where POSITION is after FROM to TO was replaced.
What follows has moved by DELTA."
  (cond ((>= position to) (+ position delta))
        ((> position from) from)
        (t position)))

(defun ob-mesos--back-over-insertion (position beg end)
  "Return where POSITION was before BEG to END was inserted."
  (cond ((<= position beg) position)
        ((>= position end) (- position (- end beg)))
        (t beg)))

(defun ob-mesos--absorbs-p (beg end from to)
  "Return non-nil if inserted text from BEG to END covers FROM to TO."
  (and (< beg end) (<= beg from) (<= to end)))

(defun ob-mesos--absorbable-p (list from to)
  "Return non-nil if an insertion in the undo LIST covers FROM to TO."
  (catch 'found
    (while list
      (setq list (ob-mesos--split-combined list))
      (pcase (pop list)
        (`(,(and (pred integerp) beg) . ,(and (pred integerp) end))
         (when (ob-mesos--absorbs-p beg end from to)
           (throw 'found t))
         ;; Older insertions cannot cover text that this one overlaps in part.
         (when (or (< beg from end to) (< from beg to end))
           (throw 'found nil))
         (setq from (ob-mesos--back-over-insertion from beg end)
               to (ob-mesos--back-over-insertion to beg end)))
        (`(,(and (pred stringp) text) . ,(and (pred integerp) pos))
         (let ((at (abs pos)))
           (when (<= at from) (cl-incf from (length text)))
           (when (< at to) (cl-incf to (length text)))))
        (`(apply ,(and (pred integerp) change) ,(pred integerp)
                 ,(and (pred integerp) end) . ,_)
         (when (>= from end)
           (cl-incf from change)
           (cl-incf to change)))))
    nil))

(defun ob-mesos--split-combined (list)
  "Put combined edits that the undo LIST begins with in place of their entry.
`combine-change-calls' has recorded them as an undo list of its own.
Return LIST, whose first cons is the same: an undo that is in progress
has LIST too."
  (while (pcase (car list)
           (`(apply ,(pred integerp) ,beg ,_ undo--wrap-and-run-primitive-undo ,_ ,_ ,inner)
            (let ((inner (or (remq nil inner) (list beg))))
              (setcdr list (append (cdr inner) (cdr list)))
              (setcar list (car inner))
              t))))
  list)

(cl-defstruct (ob-mesos--shift (:constructor ob-mesos--shift-make)
                               (:copier ob-mesos--shift-copy))
  "A change that the undo list does not record, at some entry of that list."
  (from nil :documentation "Where the replaced text began; nil if older entries are not concerned.")
  (to nil :documentation "Where it ended.")
  (delta 0 :documentation "By how much what follows it has moved."))

(defun ob-mesos--shift-insertion (beg end shift)
  "Return the entry of what was inserted from BEG to END, after SHIFT.
Return `drop' if nothing of that is left."
  (pcase-let (((cl-struct ob-mesos--shift from to delta) shift))
    (if (ob-mesos--absorbs-p beg end from to)
        (setf (ob-mesos--shift-from shift) nil)
      ;; What it has inserted into the replaced text, nobody takes away again.
      (cl-incf (ob-mesos--shift-delta shift) (max 0 (- (min end to) (max beg from))))
      (setf (ob-mesos--shift-from shift) (ob-mesos--back-over-insertion from beg end)
            (ob-mesos--shift-to shift) (ob-mesos--back-over-insertion to beg end)))
    (cond ((<= to beg) (cons (+ beg delta) (+ end delta)))
          ((>= from end) (cons beg end))
          ((ob-mesos--absorbs-p beg end from to) (cons beg (+ end delta)))
          ((> from beg) (cons beg from))
          ((< to end) (cons (+ to delta) (+ end delta)))
          (t 'drop))))

(defun ob-mesos--shift-deletion (text position shift)
  "Return the entry of TEXT, which was deleted at POSITION, after SHIFT.
Return `drop' if it was deleted from text that is replaced."
  (pcase-let (((cl-struct ob-mesos--shift from to delta) shift)
              (at (abs position)) (length (length text)))
    (when (< at to)
      (cl-incf (ob-mesos--shift-to shift) length))
    (if (and (< from at) (< at to))
        (progn (cl-decf (ob-mesos--shift-delta shift) length)
               'drop)
      (when (<= at from)
        (cl-incf (ob-mesos--shift-from shift) length))
      (let ((new (if (>= at to) (+ at delta) at)))
        (cons text (if (< position 0) (- new) new))))))

(defun ob-mesos--shift-entry (entry shift)
  "Return ENTRY of an undo list after SHIFT, or `drop' if it has no effect then.
SHIFT becomes that at the next entry."
  (pcase-let (((cl-struct ob-mesos--shift from to delta) shift))
    (pcase entry
      ((pred integerp) (ob-mesos--moved entry from to delta))
      (`(,(and (pred integerp) beg) . ,(and (pred integerp) end))
       (ob-mesos--shift-insertion beg end shift))
      (`(,(and (pred stringp) text) . ,(and (pred integerp) position))
       (ob-mesos--shift-deletion text position shift))
      (`(nil ,property ,value ,(and (pred integerp) beg) . ,(and (pred integerp) end))
       `(nil ,property ,value ,(ob-mesos--moved beg from to delta)
             . ,(ob-mesos--moved end from to delta)))
      (`(apply ,(and (pred integerp) change) ,(and (pred integerp) beg)
               ,(and (pred integerp) end) . ,rest)
       (when (>= to end)
         (cl-incf (ob-mesos--shift-to shift) change))
       (cond ((and (< from end) (< beg to))
              (cl-decf (ob-mesos--shift-delta shift) change)
              'drop)
             (t
              (when (>= from end)
                (cl-incf (ob-mesos--shift-from shift) change))
              `(apply ,change ,(ob-mesos--moved beg from to delta)
                      ,(ob-mesos--moved end from to delta) . ,rest))))
      (_ entry))))

(defun ob-mesos--undoing-with (list)
  "Return what an undo in progress continues with, a tail of the undo LIST, or nil.
Then LIST begins with what it has recorded: the two are equivalent."
  (let ((older (gethash list undo-equiv-table)))
    (and (eq last-command 'undo)
         (consp older)
         (eq older pending-undo-list)
         older)))

(defun ob-mesos--touches-p (list end shift)
  "Return non-nil if an entry of the undo LIST concerns the text of SHIFT.
END is the tail of LIST that does not count."
  (let ((shift (ob-mesos--shift-copy shift)))
    (cl-loop for tail on list until (eq tail end)
             thereis (let ((delta (ob-mesos--shift-delta shift)))
                       (ob-mesos--shift-entry (car tail) shift)
                       (or (null (ob-mesos--shift-from shift))
                           (/= delta (ob-mesos--shift-delta shift)))))))

(defun ob-mesos--shift-cell (cell shift result)
  "Account for SHIFT in the first entry of CELL, a part of an undo list.
RESULT is as for `ob-mesos--shift-undo'.  An undo that is in progress has
a part of the list too, so an entry that has no effect any more becomes
one that only moves point."
  (let* ((entry (car cell))
         (from (ob-mesos--shift-from shift))
         (new (if (and result (eq t (car-safe entry)))
                  'drop
                (ob-mesos--shift-entry entry shift))))
    (when (and (eq new 'drop) (stringp (car-safe entry)))
      ;; The markers that were in the text are told of below it.
      (cl-loop for tail on (cdr cell)
               while (pcase (car tail)
                       (`(,(pred markerp) . ,(pred integerp)) t))
               do (setcar tail from)))
    (setcar cell (if (eq new 'drop) from new))))

(defun ob-mesos--shift-undo (list from to delta result)
  "In the undo LIST account for a change that it does not record; return it.
FROM to TO was replaced, and what follows has moved by DELTA.  The text
that an entry has inserted and that covers this grows with it.  What an
undo in progress has undone cannot be redone if that concerns this text.
With RESULT non-nil, entries that would make the buffer unmodified although
the change is not in its file have no effect."
  (let* ((shift (ob-mesos--shift-make :from from :to to :delta delta))
         (head (cons nil list))
         (cell head))
    (while (and (cdr cell) (ob-mesos--shift-from shift))
      (let* ((next (ob-mesos--split-combined (cdr cell)))
             (older (ob-mesos--undoing-with next)))
        (if (and older (ob-mesos--touches-p next older shift))
            (setcdr cell older)
          (ob-mesos--shift-cell next shift result)
          (setq cell next))))
    (cdr head)))

(defun ob-mesos--record-undo (change modified)
  "Record CHANGE in the undo list, as one step.
MODIFIED is whether the buffer was modified before."
  (unless (eq buffer-undo-list t)
    (undo-boundary)
    (unless modified
      (push (cons t (visited-file-modtime)) buffer-undo-list))
    (unless (string-empty-p (ob-mesos--change-old change))
      (push (cons (ob-mesos--change-old change) (ob-mesos--change-beg change))
            buffer-undo-list))
    (when (< (ob-mesos--change-beg change) (ob-mesos--change-end change))
      (push (cons (ob-mesos--change-beg change) (ob-mesos--change-end change))
            buffer-undo-list))
    (undo-boundary)))

(defun ob-mesos--edit-recorded (function region)
  "Call FUNCTION, which edits the buffer, as one step of undo.
REGION is called after it and returns a cons of positions that the step
is to cover even where nothing has changed, or nil."
  (let* ((modified (buffer-modified-p))
         (change (ob-mesos--without-undo function)))
    (when (ob-mesos--change-beg change)
      (pcase (and (null (ob-mesos--change-error change)) (funcall region))
        (`(,beg . ,end) (ob-mesos--change-extend change beg end)))
      (ob-mesos--record-undo change modified))
    (ob-mesos--change-signal change)))

(defun ob-mesos--edit-status (function)
  "Call FUNCTION, which is to bring a placeholder up to date.
That is no step of undo, and does not count as a modification."
  (let* ((modified (buffer-modified-p))
         (change (ob-mesos--without-undo function)))
    (when (ob-mesos--change-beg change)
      (ob-mesos--account change nil)
      (unless modified
        (restore-buffer-modified-p nil)))
    (ob-mesos--change-signal change)))

(defun ob-mesos--edit-result (function)
  "Call FUNCTION, which is to insert a result.
Undoing the submission removes it; where that is not in the undo list, it
is a step of undo itself."
  (let* ((modified (buffer-modified-p))
         (change (ob-mesos--without-undo function)))
    (when (ob-mesos--change-beg change)
      (if (or (eq buffer-undo-list t)
              (ob-mesos--absorbable-p buffer-undo-list
                                      (ob-mesos--change-beg change)
                                      (ob-mesos--change-old-end change)))
          (ob-mesos--account change t)
        (ob-mesos--record-undo change modified))
      (set-buffer-modified-p t))
    (ob-mesos--change-signal change)))

(defun ob-mesos--account (change result)
  "Account for CHANGE in the undo list; RESULT is as for `ob-mesos--shift-undo'."
  (unless (eq buffer-undo-list t)
    (setq buffer-undo-list
          (ob-mesos--shift-undo buffer-undo-list
                                (ob-mesos--change-beg change)
                                (ob-mesos--change-old-end change)
                                (ob-mesos--change-delta change)
                                result))))

;;;; Lines

(defun ob-mesos--replace-lines (beg end text)
  "Put TEXT in place of BEG to END; point and windows keep line and column."
  (let ((window-points
         (cl-loop for window in (get-buffer-window-list nil nil t)
                  for point = (window-point window)
                  when (and (> point beg) (< point end))
                  collect (cons window (ob-mesos--line-and-column beg point))))
        (own (and (> (point) beg) (< (point) end)
                  (ob-mesos--line-and-column beg (point))))
        ;; A fold that the old text is in has the new text too: it is inserted
        ;; first, and the newline after the fold stays.
        (kept (if (and (< beg end)
                       (eq ?\n (char-before end))
                       (string-suffix-p "\n" text))
                  1
                0)))
    (save-excursion
      (goto-char beg)
      (insert (substring text 0 (- (length text) kept)))
      (delete-region (point) (+ (point) (- end beg kept))))
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
