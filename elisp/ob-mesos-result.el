;;; ob-mesos-result.el --- Results  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; When a task has ended, its files are copied, and Org inserts its value in
;; place of the placeholder.

;;; Code:

(require 'cl-lib)
(require 'ansi-color)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-lob)
(require 'ob-mesos-task)
(require 'ob-mesos-graph)
(require 'ob-mesos-undo)
(require 'ob-mesos-place)
(require 'ob-mesos-fetch)
(require 'ob-mesos-reuse)
(require 'ob-mesos-value)
(require 'ob-mesos-inline)
(require 'ob-mesos-placeholder)
(require 'ob-mesos-provenance)

(defvar ob-mesos--waiting-tasks)

;;;; The block

(defun ob-mesos--node-at (position)
  "Return a node for the block or call at POSITION, in a graph of its own."
  (org-with-wide-buffer
   (goto-char position)
   (ob-mesos--node (ob-mesos--graph-make :buffer (current-buffer))
                   (org-element-context))))

(defun ob-mesos--remember (task info)
  "TASK was made of what Org has INFO of, in this buffer."
  (setf (ob-mesos-task-lang task) (nth 0 info)
        (ob-mesos-task-source task) (nth 1 info)
        (ob-mesos-task-directory task) (ob-mesos--document-directory)
        (ob-mesos-task-params task)
        (org-babel-process-params (cl-remove :var (nth 2 info) :key #'car))))

(defun ob-mesos--recall (task)
  "Find the block of TASK again if it was made in a buffer that is gone.
The Emacs in which it was made can be gone, too."
  (let* ((whole (or (ob-mesos-task-group task) task))
         (unknown (null (ob-mesos-task-params whole)))
         (origin (and (or unknown (not (ob-mesos--live-context whole)))
                      (ob-mesos--placeholder-origin whole))))
    (when origin
      (setf (ob-mesos-task-context whole) origin)
      (when unknown
        (with-current-buffer (marker-buffer origin)
          (let ((info (ob-mesos--node-info (ob-mesos--node-at origin) t)))
            (dolist (each (cons whole (ob-mesos-task-members whole)))
              (ob-mesos--remember each info))))))))

;;;; The place

(defun ob-mesos--insert-result (task)
  "Put the result of TASK in the place of its placeholder.
Return nil if there is no such place any more, or if it is read-only."
  (let* ((place (ob-mesos--writable-place task))
         (wanted (and place
                      (with-current-buffer (car place)
                        (org-with-wide-buffer
                         (or (ob-mesos--origin task (cdr place))
                             (ob-mesos--apart-p task (cdr place)))))))
         (value (and wanted (ob-mesos--value-to-insert task)))
         ;; Making the value can have changed the buffer.
         (place (and value (ob-mesos--writable-place task))))
    (when place
      (with-current-buffer (car place)
        (save-excursion
          (save-restriction
            (widen)
            (let ((origin (ob-mesos--origin task (cdr place))))
              (when (or origin (ob-mesos--apart-p task (cdr place)))
                (ob-mesos--edit-result
                 (lambda ()
                   (ob-mesos--insert-safely task (cdr place) origin value)))
                (when (and origin (equal "yes" (cdr (assq :cache (ob-mesos-task-params task)))))
                  (ob-mesos--hide-hash))
                (when (and (member "file" (cdr value))
                           (bound-and-true-p org-inline-image-overlays))
                  (org-display-inline-images nil t))
                ;; The hook is for point at a block.
                (when origin
                  (ob-mesos--run-user-hook 'org-babel-after-execute-hook))
                t))))))))

(defun ob-mesos--hide-hash ()
  "Hide the end of the hash of the result of the block at point, as Org does."
  (when-let ((results (org-babel-where-is-src-block-result)))
    (save-excursion
      (goto-char results)
      (org-babel-hide-hash))))

(defun ob-mesos--insert-safely (task position origin value)
  "Put VALUE of TASK for ORIGIN in place of what is at POSITION.
ORIGIN is nil if the block or call is not there.  If Org cannot insert
VALUE, put the text back as it was and insert a report that says why.
Leave point at the block or call if it is there."
  (let* ((change (ob-mesos--without-undo
                  (lambda ()
                    (ob-mesos--insert-result-at task position origin value))))
         (err (ob-mesos--change-error change)))
    (when err
      (ob-mesos--revert-change change)
      (ob-mesos--count-as-failed task err)
      (ob-mesos--insert-result-at task position origin
                                  (ob-mesos--value-to-insert task)))))

(defun ob-mesos--count-as-failed (task err)
  "Let TASK count as failed: ERR has come in the way of its result."
  (setf (ob-mesos-task-data task)
        (append (list :state "FAILED"
                      :message (concat "Its result cannot be made: "
                                       (error-message-string err)))
                (ob-mesos-task-data task))))

(defun ob-mesos--value-to-insert (task)
  "Return what to insert for TASK, (VALUE . RESULT-PARAMS).
If the value cannot be made the task counts as failed, and that is told."
  (unless (ob-mesos-task-failed-p task)
    (condition-case err
        (ob-mesos--outcome task)
      ((error quit) (ob-mesos--count-as-failed task err))))
  (if (ob-mesos-task-failed-p task)
      (cons (ob-mesos--report task)
            (ob-mesos--result-params (ob-mesos-task-params task) t))
    (ob-mesos--outcome task)))

(defun ob-mesos--alone-in-result-p (position)
  "Return non-nil if the placeholder at POSITION is all that its result has.
Otherwise it stands before or after what `:results append' or `prepend' keep."
  (save-excursion
    (goto-char position)
    (let ((case-fold-search t))
      (and (save-excursion
             (forward-line -1)
             (looking-at-p "[ \t]*#\\+results\\b"))
           (progn
             (goto-char (ob-mesos--placeholder-end))
             (or (eobp)
                 (looking-at-p "[ \t]*$\\|\\*+ ")
                 (looking-at-p ob-mesos--provenance-regexp)))))))

(defun ob-mesos--insert-result-at (task position origin value)
  "Put VALUE, the result of TASK for ORIGIN, in place of what is at POSITION.
VALUE is as `ob-mesos--value-to-insert' returns it.  ORIGIN is nil if the
result is apart from its block.  Otherwise leave point at the block or
call: where its results stand above it, they move it."
  (cond
   ((null origin)
    (ob-mesos--insert-apart task position value))
   ((ob-mesos--inline-at-p position)
    (ob-mesos--insert-inline-result origin task value (ob-mesos--result-info task)))
   (t
    (let ((block (copy-marker origin t))
          (end (save-excursion
                 (goto-char position)
                 (copy-marker (ob-mesos--placeholder-end) t))))
      (goto-char origin)
      (ob-mesos--insert-lines task position origin value)
      (goto-char block)
      (ob-mesos--render-result)
      (ob-mesos--insert-wanted-provenance
       task (and (member "raw" (cdr value)) end))
      (goto-char block)
      (set-marker end nil)
      (set-marker block nil)))))

(defun ob-mesos--apart-p (task position)
  "Return non-nil if the placeholder of TASK at POSITION is apart from its block.
The block is in this buffer, but Org would not find the results of the
block there: there is text in between now, or it has been split.  A
placeholder whose block is gone, or that was copied into another element,
has no result."
  (let ((marker (ob-mesos-task-block-marker task)))
    (and marker
         (ob-mesos-task-text task)
         (eq (marker-buffer marker) (or (buffer-base-buffer) (current-buffer)))
         (save-excursion
           (goto-char position)
           (eq 'fixed-width (org-element-type (org-element-at-point))))
         (or (ob-mesos--part-at-p task marker)
             (ob-mesos--part-at-p task
                                  (save-excursion
                                    (goto-char (ob-mesos--apart-begin position))
                                    (skip-chars-backward " \t\n")
                                    (point)))))))

(defun ob-mesos--part-at-p (task position)
  "Return non-nil if the block or call at POSITION is that of TASK, or a part."
  (save-excursion
    (goto-char position)
    (let* ((element (org-element-at-point))
           (part (string-trim (org-remove-indentation
                               (or (org-element-property :value element) ""))))
           (whole (string-trim (org-remove-indentation (ob-mesos-task-text task)))))
      (and (memq (org-element-type element) '(src-block babel-call))
           (not (string-empty-p part))
           (or (string-prefix-p part whole) (string-suffix-p part whole))))))

(defun ob-mesos--insert-apart (task position value)
  "Put VALUE of TASK in place of the lines at POSITION; see `ob-mesos--apart-p'.
Org inserts VALUE below an empty block in a temporary buffer."
  (let* ((beg (ob-mesos--apart-begin position))
         (end (save-excursion (goto-char position) (ob-mesos--placeholder-end)))
         (indentation (save-excursion (goto-char position) (current-indentation)))
         (text (org-remove-indentation (buffer-substring-no-properties beg end)))
         (name (and (string-match ob-mesos--results-name-regexp text)
                    (match-string 1 text))))
    (goto-char beg)
    (ob-mesos--replace-lines
     beg end
     (with-temp-buffer
       (let ((org-inhibit-startup t))
         (delay-mode-hooks (org-mode)))
       (when name
         (insert "#+name: " name "\n"))
       (let ((block (point)))
         (insert "#+begin_src " (ob-mesos-task-lang task) "\n#+end_src\n\n")
         (let ((from (copy-marker (point))))
           (when (= beg position)
             (insert "#+RESULTS:\n"))
           (insert text)
           (ob-mesos--insert-result-at
            task (ob-mesos--find-text (ob-mesos-task-id task)) block value)
           (indent-rigidly from (point-max) indentation)
           (buffer-substring-no-properties from (point-max))))))))

(defun ob-mesos--apart-begin (position)
  "Return where the results begin that the placeholder at POSITION is part of.
That is POSITION itself if there is no results keyword."
  (let ((results (ob-mesos--results-at position)))
    (if (and results
             (save-excursion
               (goto-char results)
               (forward-line 1)
               (or (= (point) position)
                   (>= (org-babel-result-end) position))))
        results
      position)))

(defun ob-mesos--result-info (task)
  "Return what Org's inserter is to know of the block of TASK."
  (let ((params (ob-mesos-task-params task)))
    (list "mesos" ""
          (if (ob-mesos-task-failed-p task)
              (cl-remove :wrap params :key #'car)
            params))))

(defun ob-mesos--insert-lines (task position origin value)
  "Put VALUE of TASK, for ORIGIN, in place of the lines at POSITION."
  (let ((default-directory (or (ob-mesos-task-directory task)
                               default-directory)))
    (ob-mesos--with-scratch-buffer
     origin (not (member "file" (cdr value)))
     (lambda (shift)
       (goto-char (- origin shift))
       (let* ((placeholder (copy-marker (- position shift)))
              (alone (ob-mesos--alone-in-result-p placeholder))
              (result-params (if alone
                                 (cons "replace" (cl-set-difference
                                                  (cdr value) '("append" "prepend")
                                                  :test #'equal))
                               (cdr value)))
              (kept (and (ob-mesos-task-reused-p task) (not alone))))
         (when alone
           ;; Org does not delete the drawer with the earlier result.
           (save-excursion
             (goto-char placeholder)
             (goto-char (ob-mesos--placeholder-end))
             (ob-mesos--delete-provenance)))
         ;; Otherwise Org replaces it.
         (when (or kept (not (member "replace" result-params)))
           (save-excursion
             (goto-char placeholder)
             (delete-region (point) (ob-mesos--placeholder-end))))
         ;; A result that is reused is not inserted once more.
         (unless kept
           (org-babel-insert-result
            (car value) result-params (ob-mesos--result-info task)
            (and (not (ob-mesos-task-failed-p task))
                 (equal "yes" (cdr (assq :cache (ob-mesos-task-params task))))
                 (ob-mesos--input-key task))
            (ob-mesos-task-lang task))
           (when (and (ob-mesos-task-failed-p task) (member "replace" result-params))
             (ob-mesos--delete-result-hash (- origin shift)))
           (ob-mesos--delete-left-placeholder placeholder (ob-mesos-task-id task)))
         (set-marker placeholder nil))))))

(defun ob-mesos--delete-result-hash (origin)
  "Delete the hash in the results keyword of the block or call at ORIGIN.
It is the key of an earlier result, which is not there any more."
  (save-excursion
    (goto-char origin)
    (when-let ((keyword (org-babel-where-is-src-block-result)))
      (goto-char keyword)
      (when (looking-at "[ \t]*#\\+[A-Za-z_]+\\(\\[[^]\n]*\\]\\):")
        (replace-match "" t t nil 1)))))

(defun ob-mesos--delete-left-placeholder (marker id)
  "Delete the placeholder ID, with its keyword, if it is still at MARKER.
Org has put the result elsewhere: the block was given a name, say."
  (save-excursion
    (goto-char marker)
    (when (looking-at-p (concat "[ \t]*: mesos:" (regexp-quote id) " "))
      (let ((case-fold-search t)
            (end (ob-mesos--placeholder-end)))
        (when (save-excursion (forward-line -1)
                              (looking-at-p "[ \t]*#\\+results\\b"))
          (forward-line -1))
        (delete-region (point) end)
        (when (and (eq ?\n (char-after))
                   (or (bobp) (save-excursion (forward-line -1)
                                              (looking-at-p "[ \t]*$"))))
          (delete-char 1))))))

(defun ob-mesos--render-result ()
  "Colour the result of the block at point if `ob-mesos-ansi' is `render'."
  (when (eq ob-mesos-ansi 'render)
    (when-let ((results (org-babel-where-is-src-block-result)))
      (save-excursion
        (goto-char results)
        (forward-line 1)
        (ansi-color-apply-on-region (point) (org-babel-result-end))))))

;;;; The end

(defun ob-mesos--status (data)
  "Take in DATA, the word of the server on a task."
  (let ((task (gethash (plist-get data :id) ob-mesos--tasks)))
    (when (and task (not (ob-mesos-task-done task)))
      (setf (ob-mesos-task-data task) data)
      (when (plist-get data :title)
        (setf (ob-mesos-task-title task) (plist-get data :title)))
      (if (ob-mesos-task-terminal-p task)
          (ob-mesos--finished task)
        (ob-mesos--mark-dirty (or (ob-mesos-task-group task) task))))))

(defun ob-mesos--awaited-value-p (task)
  "Return non-nil if a task that waits is to get the value of TASK."
  (let ((promise (concat "mesos-value:" (ob-mesos-task-id task) "[")))
    (cl-some (lambda (waiting)
               (and (memq task (ob-mesos-task-needs waiting))
                    (string-search promise
                                   (format "%S" (ob-mesos-task-params waiting)))))
             ob-mesos--waiting-tasks)))

(defun ob-mesos--output-wanted-p (task)
  "Return non-nil if all output of TASK must be read before its value is made.
A file and another block get no less than it wrote."
  (let* ((params (ob-mesos-task-params task))
         (result-params (cdr (assq :result-params params)))
         (file (ob-mesos--result-file params)))
    (or (and file
             (not (ob-mesos-task-group task))
             (not (ob-mesos-task-reused-p task))
             (not (member file (ob-mesos-task-fetched task)))
             (not (cl-intersection '("link" "graphics") result-params :test #'equal))
             (not (ob-mesos--exact-p task)))
        (and (ob-mesos--cut-p task)
             (or (assq :post params)
                 (ob-mesos--awaited-value-p task))))))

(defun ob-mesos--finished (task)
  "TASK has ended: bring what it has made, and insert its result, once."
  (when (and (or (ob-mesos-task-shown task) (ob-mesos-task-result-marker task))
             (not (ob-mesos--place task)))
    (ob-mesos--follow-block task))
  (ob-mesos--recall task)
  (let ((ran (not (or (ob-mesos-task-failed-p task)
                      (ob-mesos-task-members task)
                      (ob-mesos-task-not-run-p task))))
        (files (ob-mesos--wanted-files (ob-mesos-task-params task)))
        (done (lambda (missing)
                (ob-mesos--enqueue #'ob-mesos--fetched task missing))))
    (cond
     ((ob-mesos-task-fetching task))
     ((and ran (or files (ob-mesos--output-wanted-p task)))
      (setf (ob-mesos-task-fetching task) t)
      (ob-mesos--fetch task files
                       (lambda (missing)
                         (if (and (not missing) (ob-mesos--output-wanted-p task))
                             (ob-mesos--fetch-output task done)
                           (funcall done missing)))))
     (t (ob-mesos--conclude task)))))

(defun ob-mesos--fetched (task missing)
  "The files of TASK are here; MISSING is a sentence on what is not, or nil."
  (when missing
    (setf (ob-mesos-task-data task)
          (append (list :state "FAILED" :message missing)
                  (ob-mesos-task-data task))))
  (ob-mesos--conclude task))

(defun ob-mesos--silent-text (task)
  "Return what to show of TASK, which has ended and has `:results silent'.
Obey its `:file' and `:post', unless Org executes its block and does so."
  (let ((params (ob-mesos-task-params task)))
    (cond ((ob-mesos-task-failed-p task) (ob-mesos--report task))
          ((and (ob-mesos-task-block-marker task)
                (or (assq :file params) (assq :post params)))
           (condition-case err
               (format "%s" (car (ob-mesos--outcome task)))
             (error (format "ob-mesos: %s: its result cannot be made: %s"
                            (ob-mesos-task-id task) (error-message-string err)))))
          (t (ob-mesos--stdout task)))))

(defun ob-mesos--conclude (task)
  "Insert the result of TASK."
  (setf (ob-mesos-task-done task) t)
  (unwind-protect
      (let ((result-params (cdr (assq :result-params
                                      (ob-mesos-task-params task)))))
        (cond
         ((cl-intersection '("none" "discard") result-params :test #'equal))
         ((member "silent" result-params)
          (message "%s" (ob-mesos--silent-text task)))
         ((not (or (ob-mesos-task-result-marker task) (ob-mesos-task-block-marker task))))
         ((ob-mesos--insert-result task)
          (setf (ob-mesos-task-inserted task) t)
          ;; Every change of the buffer has to move all of its markers.
          (when-let ((marker (ob-mesos-task-result-marker task)))
            (set-marker marker nil))
          (when (ob-mesos-task-failed-p task)
            (message "ob-mesos: %s: %s %s" (ob-mesos-task-id task)
                     (ob-mesos-task-state task)
                     (plist-get (ob-mesos-task-data task) :message))))
         (t (message "ob-mesos: %s has ended; %s" (ob-mesos-task-id task)
                     (ob-mesos--why-not-inserted task)))))
    (run-hook-with-args 'ob-mesos-ended-functions task)
    (unless (ob-mesos--explained-p task)
      (ob-mesos--run-user-hook 'ob-mesos-after-task-functions task))
    (when (and (ob-mesos-task-output task)
               (not (ob-mesos--awaited-value-p task)))
      (setf (ob-mesos-task-output task) nil))
    (when (ob-mesos-task-group task)
      (ob-mesos--compact task))
    (ob-mesos--forget-old task)))

(defun ob-mesos--why-not-inserted (task)
  "Return why the result of TASK is not in its document, as text for a message."
  (if-let ((place (ob-mesos--place task)))
      (format "%s is read-only, and gets its result once it is not"
              (buffer-name (car place)))
    "its place is gone, its result is in the task list, \
and `ob-mesos-reconnect' inserts it if the place is back"))

(defvar ob-mesos--ended nil
  "The ids of tasks that have ended, the latest first, but of no members.")

(defvar ob-mesos--ended-count 0
  "How many tasks have ended since `ob-mesos--forget-old' last forgot tasks.")

(defconst ob-mesos--ended-kept 200
  "How many tasks that have ended are kept, at least.")

(defun ob-mesos--forget (task)
  "Forget TASK, and release its markers if its result is in a document.
Every change of a buffer has to move all of its markers."
  (remhash (ob-mesos-task-id task) ob-mesos--tasks)
  (when (ob-mesos-task-inserted task)
    (dolist (marker (list (ob-mesos-task-block-marker task) (ob-mesos-task-context task)))
      (when marker
        (set-marker marker nil)))))

(defun ob-mesos--forget-old (task)
  "TASK has ended; from time to time, forget tasks that have ended long ago.
Those are kept that a task waits for.  A group is forgotten with its members."
  (unless (ob-mesos-task-group task)
    (push (ob-mesos-task-id task) ob-mesos--ended)
    (when (> (cl-incf ob-mesos--ended-count (ob-mesos--task-count task))
             ob-mesos--ended-kept)
      (setq ob-mesos--ended-count 0)
      (let ((needed (ob-mesos--needed-tasks)) (remaining ob-mesos--ended-kept) kept)
        (dolist (id ob-mesos--ended)
          (when-let ((old (gethash id ob-mesos--tasks)))
            (if (or (> remaining 0) (gethash old needed) (not (ob-mesos-task-done old)))
                (push id kept)
              (mapc #'ob-mesos--forget (cons old (ob-mesos-task-members old))))
            (cl-decf remaining (ob-mesos--task-count old))))
        (setq ob-mesos--ended (nreverse kept))))))

(defun ob-mesos--task-count (task)
  "Return the number of tasks that TASK and its members are."
  (1+ (length (ob-mesos-task-members task))))

(defun ob-mesos--needed-tasks ()
  "Return a hash table whose keys are the tasks that some task waits for."
  (let ((needed (make-hash-table :test #'eq)))
    (dolist (waiting ob-mesos--waiting-tasks needed)
      (dolist (upstream (ob-mesos-task-needs waiting))
        (puthash upstream t needed)))))

(add-hook 'ob-mesos-status-functions #'ob-mesos--status)

(provide 'ob-mesos-result)
;;; ob-mesos-result.el ends here
