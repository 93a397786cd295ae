;;; ob-mesos-place.el --- The place of a result  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Finds the place of a result by the text of the placeholder.  Org parses
;; a whole section to examine one of its elements.  Therefore, if the text
;; around the element is plain, the element and its results are copied to a
;; temporary buffer, and Org inserts the result there.  A long section then
;; takes no more time than a short one.

;;; Code:

(require 'cl-lib)
(require 'org)
(require 'org-element)
(require 'ob)
(require 'ob-mesos-task)
(require 'ob-mesos-graph)
(require 'ob-mesos-undo)

(defconst ob-mesos--placeholder-before
  "\\(?:^[ \t]*: \\|{{{results(\\(?:[^)\n]\\|)[^}\n]\\)*?\\)"
  "Matches what stands before a placeholder: in lines of its own, or within one.")

(defun ob-mesos--placeholder-begin ()
  "Where the placeholder begins that `ob-mesos--placeholder-before' has matched.
That is a line, or the word itself within one."
  (if (eq ?{ (char-after (match-beginning 0)))
      (save-excursion
        (goto-char (match-beginning 0))
        (search-forward "mesos:")
        (match-beginning 0))
    (line-beginning-position)))

(defun ob-mesos--find-text (id &optional from)
  "In this buffer, widened, the beginning of the placeholder ID or of its line.
It is looked for below the position FROM first, then everywhere."
  (let* ((text (concat "mesos:" id " "))
         (regexp (concat ob-mesos--placeholder-before (regexp-quote text)))
         (case-fold-search nil))
    (cl-flet ((search (from)
                (goto-char from)
                ;; The regexp alone takes long in a large buffer.
                (cl-loop while (search-forward text nil t)
                         thereis (save-excursion
                                   (beginning-of-line)
                                   (and (re-search-forward regexp (line-end-position) t)
                                        (ob-mesos--placeholder-begin))))))
      (save-excursion
        (save-restriction
          (widen)
          (or (and from (search from))
              (search (point-min))))))))

(defun ob-mesos--inline-at-p (position)
  "Whether the placeholder at POSITION stands within a line."
  (save-excursion
    (goto-char position)
    (looking-at-p "mesos:")))

(defun ob-mesos--own-buffer-p (task buffer)
  "Return non-nil if the results of TASK can belong into BUFFER.
That is the buffer it was submitted from, or one of the same file; a copy
of the file is another."
  (let* ((marker (or (ob-mesos-task-result-marker task) (ob-mesos-task-block-marker task)))
         (home (and marker (marker-buffer marker)))
         (file (ob-mesos--task-file task))
         (base (or (buffer-base-buffer buffer) buffer))
         (other (buffer-file-name base)))
    (cond
     ((and home (eq base (or (buffer-base-buffer home) home)))
      ;; What was found in a copy is not at home there.
      (or (null file) (null other)
          (when-let ((block (ob-mesos-task-block-marker task)))
            (eq base (marker-buffer block)))
          (ob-mesos--same-file-p file other)))
     ((null file) (and (null home) (null other)))
     (t (and other (ob-mesos--same-file-p file other))))))

(defun ob-mesos--task-file (task)
  "Return the file that TASK was submitted from, or nil."
  (or (ob-mesos-task-file task)
      (let ((file (plist-get (ob-mesos-task-data task) :document)))
        (and file (not (string-empty-p file)) file))))

(defun ob-mesos--same-file-p (file other)
  "Return non-nil if OTHER is the document that was FILE."
  (or (equal file other)
      (and (not (file-remote-p file))
           (file-equal-p file other))))

(defun ob-mesos--place (task)
  "Return where the placeholder of TASK is, (BUFFER . POSITION), or nil."
  (let* ((marker (or (ob-mesos-task-block-marker task)
                     (ob-mesos-task-result-marker task)))
         (home (and marker (marker-buffer marker))))
    (cl-some
     (lambda (candidate)
       (with-current-buffer candidate
         (when-let ((found (and (derived-mode-p 'org-mode)
                                (ob-mesos--own-buffer-p task candidate)
                                (ob-mesos--find-text (ob-mesos-task-id task)
                                                     (and (eq candidate home) marker)))))
           (cons candidate found))))
     (if home
         (cons home (delq home (buffer-list)))
       (buffer-list)))))

(defun ob-mesos--writable-place (task)
  "Return the place of TASK as `ob-mesos--place' does.
Return nil if the buffer is read-only."
  (when-let ((place (ob-mesos--place task)))
    (and (not (buffer-local-value 'buffer-read-only (car place)))
         place)))

(defun ob-mesos--gone-from-here-p (task)
  "Return non-nil if neither the block of TASK nor its placeholder is here.
A missing placeholder alone is no proof: the result can have replaced it."
  (let ((text (ob-mesos-task-text task))
        (marker (ob-mesos-task-block-marker task))
        (case-fold-search nil))
    (and text
         (not (ob-mesos--find-text (ob-mesos-task-id task)))
         (org-with-wide-buffer
          (not (or (and marker (eq (marker-buffer marker) (current-buffer))
                        (progn (goto-char marker)
                               (let ((case-fold-search t))
                                 (looking-at-p "#\\+\\(?:begin_src\\|call:\\)"))))
                   (progn (goto-char (point-min))
                          (search-forward text nil t))
                   (progn (goto-char (point-min))
                          (search-forward (org-escape-code-in-string text) nil t))))))))

(defun ob-mesos--left-p (task file)
  "Return non-nil if the block of TASK is not in FILE, its document, any more."
  (cond ((file-remote-p file) nil)
        ((find-buffer-visiting file)
         (with-current-buffer (find-buffer-visiting file)
           (ob-mesos--gone-from-here-p task)))
        ((file-readable-p file)
         (with-temp-buffer
           (insert-file-contents file)
           (ob-mesos--gone-from-here-p task)))
        ;; A disk that is not mounted has its documents later.
        (t (file-directory-p (file-name-directory file)))))

(defun ob-mesos--follow-block (task)
  "Let TASK belong to the document that its block has moved to.
It was refiled there, say, or its document has another name.  A copy of
a document gets nothing."
  (let ((file (ob-mesos--task-file task)))
    (when (and file (not (ob-mesos-task-inserted task)))
      (cl-loop for buffer in (buffer-list)
               until (with-current-buffer buffer
                       (when (and (derived-mode-p 'org-mode)
                                  buffer-file-name
                                  (not (ob-mesos--own-buffer-p task buffer))
                                  (ob-mesos--find-text (ob-mesos-task-id task))
                                  (ob-mesos--left-p task file))
                         (setf (ob-mesos-task-file task) buffer-file-name)))))))

(defun ob-mesos--show-position (position)
  "Move point to POSITION, and make it visible."
  (unless (<= (point-min) position (point-max))
    (widen))
  (goto-char position)
  (when (derived-mode-p 'org-mode)
    (if (fboundp 'org-fold-show-context)
        (org-fold-show-context)
      (with-no-warnings (org-show-context)))))

;;;; The scratch buffer

(defun ob-mesos--affiliated-p ()
  "Return non-nil if the line at point can be an affiliated keyword."
  (and (looking-at-p "#\\+[A-Za-z_]+\\(?:\\[.*\\]\\)?:")
       (not (looking-at-p "#\\+call:"))))

(defun ob-mesos--affiliated-begin ()
  "The beginning of the element at point, with the keywords right above it."
  (save-excursion
    (let ((beg (point)))
      (while (and (zerop (forward-line -1))
                  (ob-mesos--affiliated-p))
        (setq beg (point)))
      beg)))

(defun ob-mesos--results-with-keywords-p ()
  "Return non-nil if a results keyword is below other keywords at point."
  (save-excursion
    (while (and (ob-mesos--affiliated-p)
                (not (looking-at-p "#\\+results\\b"))
                (zerop (forward-line 1))))
    (looking-at-p "#\\+results\\b")))

(defconst ob-mesos--provenance-regexp "[ \t]*:PROVENANCE:[ \t]*$"
  "Matches the first line of the drawer of `ob-mesos-provenance'.")

(defun ob-mesos--provenance-end ()
  "Return the end of the drawer of `ob-mesos-provenance' at point, or point."
  (save-excursion
    (let ((beg (point)))
      (if (and (looking-at-p ob-mesos--provenance-regexp)
               (re-search-forward "^[ \t]*:END:[ \t]*\\(?:\n\\|\\'\\)" nil t))
          (point)
        beg))))

(defun ob-mesos--result-end ()
  "Return the end of the result at point.
`org-babel-result-end' does not know paragraphs and some blocks."
  (let ((end (org-babel-result-end)))
    (if (or (> end (point))
            (eobp)
            (looking-at-p "[ \t]*$\\|\\*+ ")
            (looking-at-p ob-mesos--provenance-regexp))
        end
      (save-excursion
        (goto-char (org-element-property :end (org-element-at-point)))
        (skip-chars-backward " \t\n")
        (line-beginning-position 2)))))

(defun ob-mesos--plain (origin)
  "The surroundings of the block or call at ORIGIN if they are plain, else nil.
Return (BEG END RESULTS): all that Org's inserter must see is between BEG
and END, and RESULTS is the beginning of the results keyword or nil.
Plain means: not indented, with no results, or right below it such as
consist of fixed-width lines, with or without `ob-mesos-provenance'."
  (save-excursion
    (save-restriction
      (widen)
      (goto-char origin)
      (let ((case-fold-search t) (beg (ob-mesos--affiliated-begin)) results)
        (when (and (bolp)
                   (cond ((looking-at-p "#\\+call:") t)
                         ((looking-at-p "#\\+begin_src[ \t]")
                          (re-search-forward "^#\\+end_src[ \t]*$" nil t)))
                   (zerop (forward-line 1))
                   (bolp))
          (skip-chars-forward " \t\n")
          (beginning-of-line)
          (when (looking-at-p "#\\+results\\b")
            (setq results (point))
            (forward-line 1)
            (while (looking-at-p ":\\(?: \\|$\\)")
              (forward-line 1))
            (goto-char (ob-mesos--provenance-end)))
          (when (if results
                    (looking-at-p "[ \t]*$\\|\\*+ ")
                  (not (or (looking-at-p "[ \t]+#\\+") ; indented results
                           (ob-mesos--results-with-keywords-p))))
            (skip-chars-forward " \t\n")
            (list beg (min (point-max) (line-beginning-position 2))
                  results)))))))

(defun ob-mesos--alone-p (origin plain)
  "Whether the element at ORIGIN has no other results than PLAIN knows of."
  (save-excursion
    (goto-char (car plain))
    (let ((case-fold-search t))
      (or (not (re-search-forward "^#\\+name:[ \t]*\\(.*?\\)[ \t]*$" origin t))
          (let ((name (match-string-no-properties 1)))
            (or (not (ob-mesos--named-results-p name (nth 2 plain)))
                (memq (org-babel-find-named-result name)
                      (list nil (nth 2 plain)))))))))

(defun ob-mesos--named-results-p (name bound)
  "Return non-nil if results with NAME can be above BOUND, or anywhere if nil.
Org takes the first ones, and parses a section to be sure; this only
searches."
  (save-restriction
    (widen)
    (goto-char (point-min))
    (cl-loop while (search-forward (concat ": " name) bound t)
             thereis (and (looking-at-p "[ \t]*$")
                          (save-excursion
                            (beginning-of-line)
                            (looking-at-p "[ \t]*#\\+results\\b"))))))

(defconst ob-mesos--settings
  '(tab-width indent-tabs-mode org-babel-results-keyword
    org-babel-min-lines-for-block-output org-babel-uppercase-example-markers)
  "What Org's inserter looks at and a file can set for itself.")

(defun ob-mesos--scratch-buffer ()
  "Return the scratch buffer, empty, with this buffer's `ob-mesos--settings'."
  (let ((directory default-directory)
        (settings (mapcar (lambda (variable)
                            (cons variable (symbol-value variable)))
                          ob-mesos--settings))
        (scratch (get-buffer-create " *ob-mesos scratch*")))
    (with-current-buffer scratch
      (unless (derived-mode-p 'org-mode)
        (let ((org-inhibit-startup t))
          (delay-mode-hooks (org-mode)))
        (setq-local org-element-use-cache nil))
      (erase-buffer)
      (setq default-directory directory)
      (pcase-dolist (`(,variable . ,value) settings)
        (set (make-local-variable variable) value)))
    scratch))

(defun ob-mesos--common-end (beg end scratch)
  "How many characters of whole lines end both BEG to END and SCRATCH."
  ;; Vectors: a position in a multibyte string is searched for.
  (let* ((ours (string-to-vector (buffer-substring-no-properties beg end)))
         (theirs (with-current-buffer scratch
                   (string-to-vector
                    (buffer-substring-no-properties (point-min) (point-max)))))
         (common 0)
         (limit (min (length ours) (length theirs)))
         (last (with-current-buffer scratch (point-max))))
    (while (and (< common limit)
                (eq (aref ours (- (length ours) common 1))
                    (aref theirs (- (length theirs) common 1))))
      (setq common (1+ common)))
    (save-excursion
      (goto-char (- end common))
      (unless (bolp) (forward-line 1))
      (let ((whole (max 0 (- end (point)))))
        (with-current-buffer scratch
          (goto-char (- last whole))
          (unless (bolp) (forward-line 1))
          (- last (point)))))))

(defun ob-mesos--keep-folded (position function)
  "Call FUNCTION, which edits the buffer below POSITION.
If POSITION is in a fold of Org's, what follows in that fold is in it
afterwards."
  (let* ((fold (get-char-property position 'invisible))
         (end (and fold
                   (if (fboundp 'org-fold-folding-spec-p)
                       (org-fold-folding-spec-p fold)
                     (memq fold '(outline org-hide-block org-hide-drawer)))
                   (copy-marker
                    (next-single-char-property-change position 'invisible) t))))
    (funcall function)
    (when end
      (save-excursion
        (goto-char end)
        ;; The newline before the next heading was replaced.
        (when (and (bolp) (not (eolp)))
          (backward-char))
        (if (fboundp 'org-fold-region)
            (org-fold-region position (point) t fold)
          (with-no-warnings (org-flag-region position (point) t fold))))
      (set-marker end nil))))

(defun ob-mesos--with-scratch-buffer (origin simple function)
  "Call FUNCTION to insert something for the block or call at ORIGIN.
FUNCTION gets a number to take off this buffer's positions: where the
surroundings are plain, and SIMPLE is non-nil, it runs in the scratch buffer."
  (let ((plain (and simple (ob-mesos--plain origin))))
    (if (not (and plain (ob-mesos--alone-p origin plain)))
        (ob-mesos--keep-folded origin (lambda () (funcall function 0)))
      (pcase-let ((`(,beg ,end) plain)
                  (scratch (ob-mesos--scratch-buffer))
                  (source (current-buffer)))
        (unwind-protect
            (progn
              (with-current-buffer scratch
                (insert-buffer-substring-no-properties source beg end)
                (funcall function (1- beg)))
              (ob-mesos--take-over beg end scratch))
          ;; A search for placeholders looks at all buffers: leave none here.
          (with-current-buffer scratch
            (erase-buffer)))))))

(defun ob-mesos--take-over (beg end scratch)
  "Make the text from BEG to END that of SCRATCH, changing whole lines only."
  (let* ((same (ob-mesos--common-end beg end scratch))
         (last (with-current-buffer scratch (- (point-max) same)))
         (case-fold-search nil)
         (differs (compare-buffer-substrings (current-buffer) beg (- end same)
                                             scratch 1 last))
         (prefix (max 0 (1- (abs differs)))))
    (unless (zerop differs)
      (ob-mesos--replace-lines
       (+ beg prefix) (- end same)
       (with-current-buffer scratch
         (buffer-substring-no-properties (+ 1 prefix) last))))))

;;;; From the placeholder to the element

(defun ob-mesos--inline-origin (position)
  "The inline block or call whose results macro POSITION is in, or nil."
  (save-excursion
    (goto-char position)
    (when (search-backward "{{{results(" (line-beginning-position) t)
      (skip-chars-backward " \t\n")
      (unless (bobp)
        (let ((object (progn (backward-char) (org-element-context))))
          (and (memq (org-element-type object)
                     '(inline-src-block inline-babel-call))
               (org-element-property :begin object)))))))

(defun ob-mesos--results-at (position)
  "The beginning of the results keyword above POSITION."
  (save-excursion
    (goto-char position)
    (let ((case-fold-search t))
      (when (re-search-backward "^[ \t]*#\\+results\\b" nil t)
        (line-beginning-position)))))

(defconst ob-mesos--results-name-regexp
  "[ \t]*#\\+results\\(?:\\[.*?\\]\\)?:[ \t]+\\(\\S-.*?\\)[ \t]*$"
  "Matches a results keyword with a name, which is group 1.")

(defun ob-mesos--belongs-p (results)
  "Return non-nil if RESULTS are those of the block or call at point.
Those right below it that have no name are also its results if it was
given a name since they were inserted."
  (let ((element (org-element-at-point)))
    (and (memq (org-element-type element) '(src-block babel-call))
         (or (equal results (org-babel-where-is-src-block-result))
             (and (org-element-property :name element)
                  (eql results (org-element-property :end element))
                  (save-excursion
                    (goto-char results)
                    (not (looking-at-p ob-mesos--results-name-regexp))))))))

(defun ob-mesos--origin (task position)
  "The block or call of TASK, whose placeholder is at POSITION, or nil."
  (if (ob-mesos--inline-at-p position)
      (ob-mesos--inline-origin position)
    (ob-mesos--origin-of-results task position)))

(defun ob-mesos--placeholder-origin (task)
  "Return a marker at the block or call that has the placeholder of TASK, or nil."
  (when-let ((place (ob-mesos--place task)))
    (with-current-buffer (car place)
      (org-with-wide-buffer
       (when-let ((origin (ob-mesos--origin task (cdr place))))
         (copy-marker origin))))))

(defun ob-mesos--origin-of-results (task position)
  "The block or call that the results around POSITION belong to, or nil.
The marker of TASK is asked first, then the element right above, then
the one that has the results' name."
  (let ((results (ob-mesos--results-at position))
        (marker (ob-mesos-task-block-marker task)))
    (when results
      (save-excursion
        (or (and marker (eq (marker-buffer marker) (current-buffer))
                 (ob-mesos--origin-at marker position results))
            (ob-mesos--origin-above task results)
            (ob-mesos--origin-named task results))))))

(defun ob-mesos--own-p (task results)
  "Whether what is at point is what TASK was made of, and has its RESULTS.
Results whose block is gone can come to stand below another.  Blocks can
be indented while they run."
  (and (or (null (ob-mesos-task-text task))
           (equal (org-remove-indentation (ob-mesos-task-text task))
                  (org-remove-indentation
                   (or (org-element-property :value (org-element-at-point)) ""))))
       (ob-mesos--belongs-p results)))

(defun ob-mesos--origin-at (marker position results)
  "MARKER's position if RESULTS, with POSITION in them, belong to it, or nil."
  (let ((plain (ob-mesos--plain marker)))
    (goto-char marker)
    ;; It is behind the indentation that its block was given since.
    (skip-chars-backward " \t")
    (when (if (and plain (eql results (nth 2 plain)))
              (< position (nth 1 plain))
            ;; Empty lines belong to the element above them.
            (and (equal (point) (org-element-property :post-affiliated
                                                      (org-element-at-point)))
                 (ob-mesos--belongs-p results)))
      (point))))

(defun ob-mesos--origin-above (task results)
  "The element right above RESULTS if that is TASK's, or nil."
  (goto-char results)
  (skip-chars-backward " \t\n")
  (beginning-of-line)
  (goto-char (org-element-property :post-affiliated (org-element-at-point)))
  (and (ob-mesos--own-p task results) (point)))

(defun ob-mesos--origin-named (task results)
  "The element with the name that RESULTS bear if that is TASK's, or nil."
  (goto-char results)
  (when (looking-at ob-mesos--results-name-regexp)
    (let ((name (match-string-no-properties 1))
          (case-fold-search t))
      (goto-char (point-min))
      (cl-loop
       while (re-search-forward
              (concat "^[ \t]*#\\+name:[ \t]*" (regexp-quote name) "[ \t]*$")
              nil t)
       do (goto-char (org-element-property
                      :post-affiliated (org-element-at-point)))
       when (ob-mesos--own-p task results) return (point)
       do (forward-line 1)))))

(provide 'ob-mesos-place)
;;; ob-mesos-place.el ends here
