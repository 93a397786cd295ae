;;; ob-mesos-export.el --- Whole documents from a shell  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; Submits all mesos blocks and calls of a document in one request, waits
;; for them, and says on stderr how far it is.

;;; Code:

(require 'cl-lib)
(require 'org-element)
(require 'ob-mesos)

(cl-defstruct (ob-mesos--run (:constructor ob-mesos--run-make) (:copier nil))
  "All blocks and calls of a buffer on their way into one request."
  (buffer nil :documentation "The buffer.")
  (languages (make-hash-table :test #'equal)
             :documentation "What calls are of, by the names they call.")
  (sections nil :documentation "Markers at its headings, a vector, in order.")
  (properties (make-hash-table :test #'equal)
              :documentation "Header arguments from properties, by section.")
  (blocks (make-hash-table :test #'equal)
          :documentation "Org's infos of the blocks that calls name.")
  (tasks nil :documentation "The tasks made so far, the latest first.")
  (error nil :documentation "Why it was given up, or nil.")
  (function nil :documentation "Called with this once all is submitted."))

(defun ob-mesos--mesos-p (element run)
  "Whether ELEMENT, a block or call of RUN, is of the language mesos."
  (if (eq (org-element-type element) 'src-block)
      (equal (org-element-property :language element) "mesos")
    (let* ((name (org-element-property :call element))
           (languages (ob-mesos--run-languages run))
           (known (gethash name languages)))
      (equal "mesos"
             (or known
                 (puthash name (or (car (ob-mesos--call-info element t)) "none")
                          languages))))))

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
over the buffer again for each of them; there is no hook to spare it that."
  (cl-letf (((symbol-function 'org-babel-params-from-properties)
             (ob-mesos--remember-properties
              run (symbol-function 'org-babel-params-from-properties)))
            ((symbol-function 'org-babel-lob--src-info)
             (ob-mesos--remember-blocks
              run (symbol-function 'org-babel-lob--src-info))))
    (funcall function)))

(defun ob-mesos--execute-element (element marker run)
  "Execute ELEMENT, which now begins at MARKER, as a part of RUN."
  (with-current-buffer (ob-mesos--run-buffer run)
    (let ((moved (- marker (org-element-property :post-affiliated element)))
          (ob-mesos--collected (list t))
          (ob-mesos--element element))
      (dolist (property '(:begin :post-affiliated :end))
        (org-element-put-property
         element property (+ moved (org-element-property property element))))
      (set-marker marker nil)
      (ob-mesos--remembering
       run
       (lambda ()
         (when (ob-mesos--mesos-p element run)
           (save-excursion
             (goto-char (org-element-property :post-affiliated element))
             (org-babel-execute-src-block
              nil (if (eq (org-element-type element) 'src-block)
                      (org-babel-get-src-block-info nil element)
                    (ob-mesos--call-info element nil)))))))
      (setf (ob-mesos--run-tasks run)
            (append (cdr ob-mesos--collected) (ob-mesos--run-tasks run))))))

(defun ob-mesos--execute-next (elements run)
  "Execute the first of ELEMENTS, then the rest; submit what RUN has in the end."
  (condition-case err
      (if elements
          (progn
            (ob-mesos--execute-element (caar elements) (cdar elements) run)
            (ob-mesos--later #'ob-mesos--execute-next (cdr elements) run))
        (setf (ob-mesos--run-tasks run) (nreverse (ob-mesos--run-tasks run)))
        (ob-mesos--submit (ob-mesos--run-tasks run))
        (funcall (ob-mesos--run-function run) run))
    ((error quit)
     (setf (ob-mesos--run-error run) (error-message-string err))
     (dolist (task (ob-mesos--run-tasks run))
       (ob-mesos--refused task "Not submitted, for another block cannot be"))
     (funcall (ob-mesos--run-function run) run))))

(defun ob-mesos--submit-buffer (function)
  "Submit all that is of the language mesos in this buffer, in one request.
This is done in slices.  In the end call FUNCTION with the
`ob-mesos--run'; nothing is submitted if a block has an error."
  (let ((tree (org-element-parse-buffer 'element)))
    (ob-mesos--later
     #'ob-mesos--execute-next
     (org-element-map tree '(src-block babel-call)
       (lambda (element)
         (cons element
               (copy-marker (org-element-property :post-affiliated element) t))))
     (ob-mesos--run-make
      :buffer (current-buffer) :function function
      :sections (vconcat
                 (org-element-map tree 'headline
                   (lambda (heading)
                     (copy-marker (org-element-property :begin heading)))))))))

(defun ob-mesos--submit-buffer-and-wait ()
  "Submit all that is of the language mesos in this buffer.
Return the tasks once they are submitted, or signal what was wrong."
  (let (run)
    (ob-mesos--submit-buffer (lambda (done) (setq run done)))
    (ob-mesos--wait (lambda () run))
    (when (ob-mesos--run-error run)
      (user-error "%s" (ob-mesos--run-error run)))
    (ob-mesos--run-tasks run)))

(defun ob-mesos--progress (text last)
  "Show TEXT on stderr, in place on a terminal; LAST ends the line there."
  (if (equal (getenv "OB_MESOS_TTY") "1")
      (princ (concat "\r\e[K" text (if last "\n" "")) #'external-debugging-output)
    (princ (concat text "\n") #'external-debugging-output)))

(defun ob-mesos--wait-for (tasks)
  "Wait for TASKS and show how far they are; return those that have failed."
  (let ((total (length tasks)) (start (float-time)) (shown -1))
    (ob-mesos--wait
     (lambda ()
       (let ((done (cl-count-if #'ob-mesos-task-done tasks)))
         (unless (= done shown)
           (setq shown done)
           (ob-mesos--progress (format "ob-mesos: %d of %d done, %.1f s" done total
                                       (- (float-time) start))
                               (= done total)))
         (= done total))))
    (cl-remove-if-not #'ob-mesos-task-failed-p tasks)))

(defun ob-mesos--tell-of-cluster (server)
  "Say how the cluster of SERVER is."
  (ob-mesos--progress
   (format "ob-mesos: %s" (or (ob-mesos--server-trouble server)
                              (concat "connected to "
                                      (ob-mesos--server-master server))))
   t))

(defun ob-mesos--tell-of-waiting (task)
  "Say why TASK waits, if it does and there is a reason."
  (when (equal (plist-get task :state) "QUEUED")
    (let ((why (plist-get task :message)))
      (unless (member why '(nil ""))
        (ob-mesos--progress (format "ob-mesos: %s waits: %s"
                                    (plist-get task :id) why)
                            t)))))

(defun ob-mesos-batch-run ()
  "Run the mesos blocks of the file named on the command line; for --batch.
The results are written into the file, or printed with --stdout.  The
exit status is 1 if a block has failed."
  (let* ((stdout (member "--stdout" command-line-args-left))
         (ob-mesos--master-above-all
          (cadr (member "--master" command-line-args-left)))
         (file (car (remove ob-mesos--master-above-all
                            (remove "--master"
                                    (remove "--stdout" command-line-args-left)))))
         (org-confirm-babel-evaluate nil)
         (inhibit-message t)
         (failed nil))
    (add-hook 'ob-mesos-cluster-functions #'ob-mesos--tell-of-cluster)
    (add-hook 'ob-mesos-status-functions #'ob-mesos--tell-of-waiting)
    (setq command-line-args-left nil
          ;; Nobody waits to type, and all of it ends soon.
          gc-cons-threshold (* 64 1024 1024))
    (condition-case err
        (with-current-buffer (find-file-noselect (expand-file-name file))
          (let ((tasks (ob-mesos--submit-buffer-and-wait)))
            (setq failed (ob-mesos--wait-for tasks)))
          (if stdout
              (princ (buffer-string))
            (save-buffer)))
      ((error quit)
       (let ((inhibit-message nil))
         (message "ob-mesos: %s" (error-message-string err)))
       (setq failed t)))
    (when (consp failed)
      (dolist (task failed)
        (ob-mesos--progress
         (format "ob-mesos: %s %s: %s" (ob-mesos-task-id task)
                 (ob-mesos-task-state task)
                 (plist-get (ob-mesos-task-data task) :message))
         t)))
    (kill-emacs (if failed 1 0))))

(provide 'ob-mesos-export)
;;; ob-mesos-export.el ends here
