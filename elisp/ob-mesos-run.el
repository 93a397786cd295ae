;;; ob-mesos-run.el --- Many blocks at once  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Submits the blocks and calls of a buffer, or of a part of it, in one
;; request, those that others need before these.  What they need is found
;; while they are expanded: a reference leads to the block that it names
;; first.

;;; Code:

(require 'cl-lib)
(require 'org-element)
(require 'ob-mesos-submit)

(cl-defstruct (ob-mesos--run (:constructor ob-mesos--run-make) (:copier nil))
  "Blocks and calls of a buffer on their way into one request."
  (buffer nil :documentation "The buffer.")
  (items nil :documentation "Its `ob-mesos--item's, in order.")
  (names (make-hash-table :test #'equal)
         :documentation "Those that have a name, by it.")
  (languages (make-hash-table :test #'equal)
             :documentation "Whether calls are of the cluster, by the names they call.")
  (sections nil :documentation "Markers at its headings, a vector, in order.")
  (properties (make-hash-table :test #'equal)
              :documentation "Header arguments from properties, by section.")
  (blocks (make-hash-table :test #'equal)
          :documentation "Org's infos of the blocks that calls name.")
  (keywords (make-hash-table :test #'equal)
            :documentation "What keywords of the document say.")
  (unsent nil :documentation "The tasks to submit, the latest first.")
  (tasks nil :documentation "The tasks of its items, the latest first.")
  (confirmed nil :documentation "Whether the user has agreed to all of it.")
  (error nil :documentation "Why it was given up, or nil.")
  (start nil :documentation "When it began.")
  (function nil :documentation "Called with this once all is submitted."))

(cl-defstruct (ob-mesos--item (:constructor ob-mesos--item-make) (:copier nil))
  "A block or call that is executed as a part of a run."
  (element nil :documentation "What Org has parsed.")
  (marker nil :documentation "Where that begins now.")
  (beginning nil :documentation "The text it begins with.")
  (done nil :documentation "Non-nil once it was executed.")
  (task nil :documentation "Its task, or nil if it needs none."))

(defun ob-mesos--item-name (item)
  "How to call ITEM before the user."
  (let ((element (ob-mesos--item-element item)))
    (or (org-element-property :name element)
        (org-element-property :call element)
        (with-current-buffer (marker-buffer (ob-mesos--item-marker item))
          (format "line %d"
                  (line-number-at-pos (ob-mesos--item-marker item) t))))))

(defun ob-mesos--cluster-element-p (element run)
  "Whether ELEMENT, a block or call of RUN, is of the cluster."
  (if (equal (org-element-property :language element) "mesos") t
    (let ((name (org-element-property :call element))
          (languages (ob-mesos--run-languages run)))
      (if (null name)
          (ob-mesos--cluster-info-p element)
        (when (eq 'unknown (gethash name languages 'unknown))
          (puthash name (ob-mesos--cluster-info-p element) languages))
        (gethash name languages)))))

(defun ob-mesos--cluster-info-p (element)
  "Whether ELEMENT, a block or call, is of the cluster as Org has it."
  (let ((info (ob-mesos--info element 'light)))
    (or (equal (car info) "mesos")
        (and (bound-and-true-p ob-mesos-mode)
             (ob-mesos--on-cluster-p (nth 2 info))))))

(defun ob-mesos--section (run)
  "The number of the section of RUN that point is in; -1 above all headings."
  (let* ((sections (ob-mesos--run-sections run))
         (low -1) (high (length sections)))
    (while (< (1+ low) high)
      (let ((middle (/ (+ low high) 2)))
        (if (<= (aref sections middle) (point))
            (setq low middle)
          (setq high middle))))
    low))

(defun ob-mesos--remember-properties (run look)
  "Make a function that asks LOOK once for the properties of a section of RUN.
Properties with Lisp in them are evaluated each time."
  (let ((buffer (ob-mesos--run-buffer run))
        (known (ob-mesos--run-properties run)))
    (lambda (&optional lang no-eval)
      (if (not (eq (current-buffer) buffer))
          (funcall look lang no-eval)
        (let* ((key (cons (ob-mesos--section run) lang))
               (found (gethash key known 'none)))
          (cond
           ((not (eq found 'none)) (copy-tree found))
           (no-eval (funcall look lang t))
           (t
            (let ((value (funcall look lang nil)))
              (when (equal value (funcall look lang t))
                (puthash key (copy-tree value) known))
              value))))))))

(defun ob-mesos--remember-blocks (run look)
  "Make a function that asks LOOK once for each block which RUN names."
  (let ((known (ob-mesos--run-blocks run)))
    (lambda (ref &rest rest)
      (let ((key (cons (current-buffer) (cons ref rest))))
        (copy-tree (or (gethash key known)
                       (puthash key (copy-tree (apply look ref rest)) known)))))))

(defun ob-mesos--remembering (run function)
  "Call FUNCTION with a memory for what Org asks for each call of RUN.
Else it would look for headings, and for the block that is called, all
over the buffer again for each of them; there is no hook to spare it that.
A reference to an item of RUN leads to that item's task."
  (cl-letf (((symbol-function 'org-babel-params-from-properties)
             (ob-mesos--remember-properties
              run (symbol-function 'org-babel-params-from-properties)))
            ((symbol-function 'org-babel-lob--src-info)
             (ob-mesos--remember-blocks
              run (symbol-function 'org-babel-lob--src-info)))
            ((symbol-function 'org-babel-ref-resolve)
             (ob-mesos--resolve-items
              run (symbol-function 'org-babel-ref-resolve))))
    (funcall function)))

(defun ob-mesos--deeply (function &rest arguments)
  "Call FUNCTION with ARGUMENTS where Lisp can nest deeply.
Blocks can hang on each other in long chains."
  (let ((max-lisp-eval-depth (max max-lisp-eval-depth 40000)))
    (cl-progv (and (< emacs-major-version 29) '(max-specpdl-size)) '(40000)
      (apply function arguments))))

;;;; References

(defun ob-mesos--referred-item (run ref)
  "The item of RUN that REF leads to, or nil."
  (and (eq (current-buffer) (ob-mesos--run-buffer run))
       (string-match "\\`\\([^][():]+\\)\\(?:()\\)?\\(?:\\[[^][]+\\]\\)?\\'" ref)
       (gethash (match-string 1 ref) (ob-mesos--run-names run))))

(defun ob-mesos--resolve-items (run look)
  "Make a function that asks LOOK for what is no item of RUN."
  (lambda (ref)
    (let* ((item (ob-mesos--referred-item run ref))
           (task (and item (ob-mesos--item-launched item run))))
      (if task
          (ob-mesos--item-value task ref)
        (funcall look ref)))))

(defun ob-mesos--item-value (task ref)
  "The value of TASK that REF asks for, or a promise if that will do."
  (let ((promise (ob-mesos--promise task ref)))
    (if (ob-mesos--takes-promise-p (ob-mesos--asker))
        promise
      (ob-mesos--wait-for-value task (ob-mesos-task-params task))
      (ob-mesos--promised-value (ob-mesos--promised promise)))))

(defun ob-mesos--item-launched (item run)
  "The task of ITEM of RUN, which is executed now if it was not yet."
  (unless (ob-mesos--item-done item)
    (ob-mesos--check-circle (ob-mesos--item-name item) ob-mesos--chain)
    (ob-mesos--execute-item item run))
  (ob-mesos--item-task item))

(defun ob-mesos--named-item (run name)
  "The task of the item NAME of RUN, or nil; see `ob-mesos--named-functions'."
  (when-let ((item (gethash name (ob-mesos--run-names run))))
    (ob-mesos--item-launched item run)))

;;;; Execution

(defun ob-mesos--execute-item (item run)
  "Execute ITEM as a part of RUN, which is told if ITEM has an error."
  (condition-case err
      (ob-mesos--execute-item-now item run)
    (error
     (unless (ob-mesos--run-error run)
       (setf (ob-mesos--run-error run)
             (format "%s: %s" (ob-mesos--item-name item)
                     (error-message-string err))))
     (signal (car err) (cdr err)))))

(defun ob-mesos--execute-item-now (item run)
  "Execute ITEM as a part of RUN."
  (with-current-buffer (ob-mesos--run-buffer run)
    (let* ((element (ob-mesos--item-element item))
           (marker (ob-mesos--item-marker item))
           (moved (- marker (ob-mesos--element-begin element)))
           (ob-mesos--collect (lambda (tasks) (ob-mesos--take tasks run)))
           (ob-mesos--keywords (ob-mesos--run-keywords run))
           (ob-mesos--chain (cons (ob-mesos--item-name item) ob-mesos--chain))
           (ob-mesos--named-functions
            (list (lambda (name) (ob-mesos--named-item run name))))
           (ob-mesos--before-wait-functions
            (list (lambda () (ob-mesos--submit-unsent run))))
           (org-confirm-babel-evaluate (and (not (ob-mesos--run-confirmed run))
                                            org-confirm-babel-evaluate)))
      (dolist (property '(:begin :post-affiliated :end))
        (when (org-element-property property element)
          (org-element-put-property
           element property (+ moved (org-element-property property element)))))
      (ob-mesos--deeply
       #'ob-mesos--remembering run
       (lambda ()
         (save-excursion
           (goto-char (ob-mesos--element-begin element))
           (let ((task (ob-mesos--execute-anew
                        element
                        (ob-mesos--info element nil))))
             (when task
               (push task (ob-mesos--run-tasks run)))
             (setf (ob-mesos--item-task item) task
                   (ob-mesos--item-done item) t))))))))

(defun ob-mesos--item-gone-p (item run)
  "Whether ITEM of RUN is not there any more.
It can have been a part of the results of another."
  (with-current-buffer (ob-mesos--run-buffer run)
    (save-excursion
      (goto-char (ob-mesos--item-marker item))
      (not (looking-at-p (regexp-quote (ob-mesos--item-beginning item)))))))

(defun ob-mesos--take (tasks run)
  "Keep TASKS for the request of RUN."
  (setf (ob-mesos--run-unsent run)
        (append (reverse tasks) (ob-mesos--run-unsent run))))

(defun ob-mesos--submit-unsent (run)
  "Submit those tasks of RUN that were not yet."
  (let ((tasks (reverse (ob-mesos--run-unsent run))))
    (setf (ob-mesos--run-unsent run) nil)
    (ob-mesos--submit-launched tasks)))

(defun ob-mesos--execute-next (items run)
  "Execute the first of ITEMS, then the rest; submit what RUN has in the end."
  (condition-case err
      (if items
          (progn
            (unless (or (ob-mesos--item-done (car items))
                        (ob-mesos--item-gone-p (car items) run))
              (ob-mesos--execute-item (car items) run))
            (ob-mesos--later #'ob-mesos--execute-next (cdr items) run))
        (dolist (item (ob-mesos--run-items run))
          (set-marker (ob-mesos--item-marker item) nil))
        (setf (ob-mesos--run-tasks run) (nreverse (ob-mesos--run-tasks run)))
        (ob-mesos--submit-unsent run)
        (setf (ob-mesos--run-error run) nil)
        (funcall (ob-mesos--run-function run) run))
    ((error quit)
     (unless (ob-mesos--run-error run)
       (setf (ob-mesos--run-error run) (error-message-string err)))
     (dolist (task (ob-mesos--run-unsent run))
       (ob-mesos--refused task (concat "Not submitted, for another block cannot be: "
                                       (ob-mesos--run-error run))))
     (funcall (ob-mesos--run-function run) run))))

(defun ob-mesos--inline-objects ()
  "All that can be executed within lines of this buffer.
Org is asked about those places only where one can be."
  (org-with-wide-buffer
   (goto-char (point-min))
   (cl-loop while (re-search-forward "\\_<\\(?:src\\|call\\)_[^ \t\n]" nil t)
            for object = (save-excursion
                         (goto-char (match-beginning 0))
                         (org-element-context))
            when (ob-mesos--inline-p object) collect object)))

(defun ob-mesos--collect-run (beg end)
  "A run of what is of the cluster between BEG and END in this buffer."
  (let* ((tree (org-element-parse-buffer 'element))
         (run (ob-mesos--run-make
               :buffer (current-buffer)
               :sections (vconcat
                          (org-element-map tree 'headline
                            (lambda (heading)
                              (copy-marker
                               (org-element-property :begin heading)))))))
         (elements (sort (append (org-element-map tree '(src-block babel-call)
                                   #'identity)
                                 (ob-mesos--inline-objects))
                         (lambda (a b) (< (ob-mesos--element-begin a)
                                          (ob-mesos--element-begin b))))))
    (ob-mesos--remembering
     run
     (lambda ()
       (dolist (element elements)
         (let ((begin (ob-mesos--element-begin element)))
           (when (and (<= beg begin) (< begin end)
                      (save-excursion
                        (goto-char begin)
                        (and (ob-mesos--cluster-element-p element run)
                             (not (org-in-commented-heading-p)))))
             (ob-mesos--add-item element run))))))
    (setf (ob-mesos--run-items run) (nreverse (ob-mesos--run-items run)))
    run))

(defun ob-mesos--add-item (element run)
  "Make ELEMENT an item of RUN."
  (let ((item (save-excursion
                (goto-char (ob-mesos--element-begin element))
                (ob-mesos--item-make
                 :element element :marker (copy-marker (point) t)
                 :beginning
                 (buffer-substring-no-properties
                  (point) (if (ob-mesos--inline-p element)
                              (+ (point) 5)
                            (line-end-position))))))
        (name (org-element-property :name element)))
    (push item (ob-mesos--run-items run))
    (when (and name (not (gethash name (ob-mesos--run-names run))))
      (puthash name item (ob-mesos--run-names run)))))

(defun ob-mesos--begin-run (run function)
  "Execute the items of RUN, in slices.
In the end call FUNCTION with RUN; nothing is submitted if a block has an
error, but what others had to wait for."
  (setf (ob-mesos--run-function run) function
        (ob-mesos--run-start run) (float-time))
  (ob-mesos--later #'ob-mesos--execute-next (ob-mesos--run-items run) run))

(defun ob-mesos--submit-buffer (function)
  "Submit all that is of the cluster in this buffer, in one request.
In the end call FUNCTION with the `ob-mesos--run'."
  (ob-mesos--begin-run (ob-mesos--collect-run (point-min) (point-max)) function))

(defun ob-mesos--submit-buffer-and-wait ()
  "Submit all that is of the cluster in this buffer.
Return the tasks once they are submitted, or signal what was wrong."
  (let (run)
    (ob-mesos--submit-buffer (lambda (done) (setq run done)))
    (ob-mesos--wait (lambda () run))
    (when (ob-mesos--run-error run)
      (user-error "%s" (ob-mesos--run-error run)))
    (ob-mesos--run-tasks run)))

;;;; Commands

(defun ob-mesos--confirm-run (run)
  "Show the items of RUN and ask whether to run them, as Org would for each."
  (let ((items (ob-mesos--run-items run)))
    (or (null org-confirm-babel-evaluate)
        (and (functionp org-confirm-babel-evaluate)
             (cl-notany (lambda (item)
                          (let ((element (ob-mesos--item-element item)))
                            (funcall org-confirm-babel-evaluate
                                     (or (org-element-property :language element)
                                         "mesos")
                                     (or (org-element-property :value element)
                                         ""))))
                        items))
        (save-window-excursion
          (with-output-to-temp-buffer "*ob-mesos run*"
            (princ "These would run on the cluster:\n\n")
            (dolist (item items)
              (princ (format "  %s\n" (ob-mesos--item-line item)))))
          (yes-or-no-p (format "Run %d blocks and calls on the cluster? "
                               (length items)))))))

(defun ob-mesos--item-line (item)
  "One line on ITEM for the user."
  (let ((element (ob-mesos--item-element item)))
    (format "%-20s %s" (ob-mesos--item-name item)
            (truncate-string-to-width
             (car (split-string (string-trim-left
                                 (or (org-element-property :value element) ""))
                                "\n"))
             50))))

(defun ob-mesos--seconds (task)
  "How long TASK has run, in seconds; all members together for a group."
  (let ((data (ob-mesos-task-data task)))
    (if (ob-mesos-task-members task)
        (apply #'+ (mapcar #'ob-mesos--seconds (ob-mesos-task-members task)))
      (if (and (plist-get data :started) (plist-get data :ended))
          (/ (- (plist-get data :ended) (plist-get data :started)) 1000.0)
        0))))

(defun ob-mesos--summary (run)
  "A sentence on RUN, all of whose tasks have ended."
  (let* ((tasks (ob-mesos--run-tasks run))
         (failed (cl-remove-if-not #'ob-mesos-task-failed-p tasks)))
    (format "ob-mesos: %d done%s in %.1f s; one after the other they take %.1f s"
            (- (length tasks) (length failed))
            (if failed
                (format ", %d failed (%s)" (length failed)
                        (mapconcat #'ob-mesos-task-id failed ", "))
              "")
            (- (float-time) (ob-mesos--run-start run))
            (apply #'+ (mapcar #'ob-mesos--seconds tasks)))))

(defun ob-mesos--report-run (run)
  "Tell how far RUN is whenever a task of it ends, and sum up in the end."
  (let* ((tasks (ob-mesos--run-tasks run))
         (all (length tasks))
         (reporter (make-progress-reporter
                    (format "ob-mesos: %d tasks run on the cluster..." all)
                    0 all 0 1 0.5)))
    (ob-mesos--count-down
     tasks
     (lambda (left)
       (if (> left 0)
           (progress-reporter-update reporter (- all left))
         (message "%s" (ob-mesos--summary run)))))))

(defun ob-mesos--execute-between (beg end)
  "Run all that is of the cluster between BEG and END."
  (unless (derived-mode-p 'org-mode)
    (user-error "This is no Org document"))
  (let ((run (ob-mesos--collect-run beg end)))
    (unless (ob-mesos--run-items run)
      (user-error "There is nothing here that runs on a cluster"))
    (when (setf (ob-mesos--run-confirmed run) (ob-mesos--confirm-run run))
      (ob-mesos--begin-run
       run
       (lambda (run)
         (cond ((ob-mesos--run-error run)
                (message "ob-mesos: %s" (ob-mesos--run-error run)))
               ((ob-mesos--run-tasks run) (ob-mesos--report-run run))
               (t (message "ob-mesos: nothing had to run"))))))))

;;;###autoload
(defun ob-mesos-execute-buffer ()
  "Run all that is of the cluster in this buffer, at once.
What a block needs from another is run before it."
  (interactive)
  (ob-mesos--execute-between (point-min) (point-max)))

;;;###autoload
(defun ob-mesos-execute-subtree ()
  "Run all that is of the cluster in this subtree, at once."
  (interactive)
  (save-restriction
    (save-excursion
      (org-back-to-heading t)
      (let ((beg (point)))
        (org-end-of-subtree t t)
        (let ((end (point)))
          (ob-mesos--execute-between beg end))))))

;;;###autoload
(defun ob-mesos-execute-region (beg end)
  "Run all that is of the cluster between BEG and END, at once."
  (interactive "r")
  (ob-mesos--execute-between beg end))

(provide 'ob-mesos-run)
;;; ob-mesos-run.el ends here
