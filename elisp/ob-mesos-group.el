;;; ob-mesos-group.el --- One block, many tasks  -*- lexical-binding: t; -*-

;; Copyright (C) 2026 The ob-mesos contributors
;; SPDX-License-Identifier: GPL-3.0-or-later

;;; Commentary:

;; `:instances' and `:foreach' make a block a group of tasks, its members.
;; Only Emacs knows groups.  The placeholder of a group contains its id and
;; the number of its members; the ids of the members are derived from these.
;; The result contains the outputs of the members in order.

;;; Code:

(require 'cl-lib)
(require 'ob-mesos-task)
(require 'ob-mesos-flow)
(require 'ob-mesos-lang)
(require 'ob-mesos-result)

(defun ob-mesos--fan-out-p (params)
  "Whether a block with PARAMS becomes several tasks."
  (or (assq :instances params) (assq :foreach params)))

;;;; The elements

(defun ob-mesos--foreach (params)
  "The variable of `:foreach' in PARAMS and its value, (NAME . VALUE).
The value is a promise if another block is still to give it."
  (let ((value (cdr (assq :foreach params))))
    (if (and (consp value) (ob-mesos--promised (cdr value)))
        (cons (car value) (cdr value))
      (let ((text (format "%s" value)))
        (unless (string-match-p "\\`[^= \t]+=." text)
          (ob-mesos--bad "foreach" text "NAME=LIST, NAME=TABLE or NAME=BLOCK"))
        (car (org-babel--get-vars
              (org-babel-process-params
               (list (cons :var text)
                     '(:colnames . "no") '(:hlines . "yes")))))))))

(defun ob-mesos--cell (value)
  "VALUE as text for a title."
  (if (listp value)
      (mapconcat #'ob-mesos--cell value " ")
    (format "%s" value)))

(defun ob-mesos--column-variable (heading)
  "Return the name, a symbol, of the variable for the column HEADING.
Return nil if HEADING has no ASCII letter or digit."
  (let ((text (format "%s" heading)))
    (when (string-match-p "[A-Za-z0-9]" text)
      (intern (replace-regexp-in-string
               "\\`[0-9]" "_\\&"
               (replace-regexp-in-string "[^A-Za-z0-9_]" "_" text))))))

(defun ob-mesos--column-variables (headings)
  "Return the names of the variables for the columns HEADINGS, in order."
  (let ((variables (mapcar #'ob-mesos--column-variable headings)))
    (cl-loop for (variable . others) on variables
             when (and variable (memq variable others))
             do (user-error "`:foreach': two columns have the same variable name, %s"
                            variable))
    variables))

(defun ob-mesos--row-vars (name names row)
  "The variables for ROW of a table with the column variables NAMES, or nil.
NAME is the variable of `:foreach'; it is the first column's value if no
column has that name."
  (if (null names)
      (list (cons name (if (and (consp row) (null (cdr row))) (car row) row)))
    (let ((vars (cl-loop for column in names
                         for value in row
                         when column collect (cons column value))))
      (if (assq name vars) vars
        (cons (cons name (car row)) vars)))))

(defun ob-mesos--elements-of (name value)
  "The elements of VALUE for the variable NAME, as `ob-mesos--elements'."
  (let* ((items (cond ((stringp value) (split-string value "\n" t "[ \t]+"))
                      ((listp value) value)
                      (t (list value))))
         (heading (eq 'hline (nth 1 items)))
         (names (and heading (listp (car items))
                     (ob-mesos--column-variables (car items)))))
    (cons (remq 'hline (if heading (cddr items) items))
          (lambda (item)
            (cons (ob-mesos--cell item) (ob-mesos--row-vars name names item))))))

(defun ob-mesos--elements (params foreach)
  "What the members of a group with PARAMS differ in, (ITEMS . FUNCTION).
FUNCTION makes of an item its title and variables, (TITLE . VARS).
FOREACH is the variable of `:foreach' with its value, or nil."
  (let ((elements
         (if foreach
             (ob-mesos--elements-of (car foreach) (cdr foreach))
           (cons (number-sequence 0 (1- (cdr (assq :instances params))))
                 (lambda (index) (list (number-to-string index)))))))
    (unless (car elements)
      (user-error "`:foreach' has no elements"))
    (ob-mesos--checked-count (length (car elements)))
    elements))

(defconst ob-mesos--most-members 10000 "The largest number of members of a group.")

(defun ob-mesos--checked-count (count)
  "Return COUNT, a number of members, or signal a `user-error' if it is too large."
  (when (> count ob-mesos--most-members)
    (user-error "`:foreach' has %d elements; %d can be run"
                count ob-mesos--most-members))
  count)

;;;; The members

(defconst ob-mesos--members-at-once 100
  "The number of members to make at once, which takes some milliseconds.")

(defun ob-mesos--member-id (group index)
  "Return the id of the member INDEX of the group whose id is GROUP."
  (format "%s.%d" group index))

(defun ob-mesos--group-id (id)
  "Return the id of the group whose member has ID, or nil if ID is no member's."
  (and (string-match "\\`\\(.*-[a-z2-7]\\{10\\}\\)\\.[0-9]+\\'" id)
       (match-string 1 id)))

(defun ob-mesos--title (text index)
  "Return the title of the member INDEX for TEXT, of which it has 200 columns."
  (let ((short (truncate-string-to-width text 200 nil nil t)))
    (if (equal short text) text (format "%s (%d)" short index))))

(defun ob-mesos--make-members (group make elements)
  "Make the first members of GROUP for ELEMENTS, (ITEMS . FUNCTION).
MAKE is called with an id, variables and an environment for each.  If
there are more items, the slot `more' of GROUP makes the next members."
  (let ((count (length (car elements)))
        (items (car elements))
        (index 0))
    (setf (ob-mesos-task-local group) t
          (ob-mesos-task-count group) count
          (ob-mesos-task-left group) count
          (ob-mesos-task-more group)
          (lambda ()
            (let (new)
              (while (and items (< (length new) ob-mesos--members-at-once))
                (pcase-let* ((`(,title . ,vars) (funcall (cdr elements) (pop items)))
                             (id (ob-mesos--member-id (ob-mesos-task-id group) index))
                             (member (funcall make id vars
                                              (list (cons "OB_MESOS_INDEX" index)
                                                    (cons "OB_MESOS_COUNT" count)))))
                  (setf (ob-mesos-task-group member) group
                        (ob-mesos-task-title member) (ob-mesos--title title index))
                  (push member new)
                  (cl-incf index)))
              (setq new (nreverse new))
              (setf (ob-mesos-task-members group)
                    (append (ob-mesos-task-members group) new))
              (unless items
                (setf (ob-mesos-task-more group) nil))
              new)))
    (funcall (ob-mesos-task-more group))
    (ob-mesos--tell-group group)))

(defun ob-mesos--unmade-count (group)
  "Return how many members of GROUP are not made."
  (- (ob-mesos-task-count group) (length (ob-mesos-task-members group))))

(defun ob-mesos--cancel-members (group)
  "Do not make and do not submit those members of GROUP that are not submitted."
  (when (ob-mesos-task-more group)
    (cl-decf (ob-mesos-task-left group) (ob-mesos--unmade-count group))
    (setf (ob-mesos-task-more group) nil))
  (mapc #'ob-mesos--cancel-unmade (ob-mesos-task-members group))
  ;; The last member that was submitted can have ended already.
  (when (zerop (ob-mesos-task-left group))
    (ob-mesos--group-ended group)))

(defun ob-mesos--restore-members (group count)
  "GROUP was found in a document with COUNT members; know them again."
  (setf (ob-mesos-task-local group) t
        (ob-mesos-task-members group)
        (cl-loop for index below count
                 for id = (ob-mesos--member-id (ob-mesos-task-id group) index)
                 collect
                 (puthash id
                          (ob-mesos-task--make
                           :id id :group group
                           :title (number-to-string index)
                           :master (ob-mesos-task-master group))
                          ob-mesos--tasks))
        (ob-mesos-task-count group) count
        (ob-mesos-task-left group) count)
  (ob-mesos--tell-group group))

;;;; A group that waits for values

(defun ob-mesos--waits-message (group)
  "Return the message of GROUP, which waits for values, with what it needs.
That is the id of each task, and the number of members of each group.
The next Emacs reads it in the placeholder."
  (concat ob-mesos--waits-for-values ": "
          (mapconcat (lambda (need)
                       (concat (ob-mesos-task-id need)
                               (and (ob-mesos-task-members need)
                                    (format " (%d)" (ob-mesos-task-count need)))))
                     (ob-mesos-task-needs group) " ")))

(defun ob-mesos--needed-ids (text)
  "Return the ids of the tasks in TEXT, the end of a waiting group's message.
Signal a `user-error' if TEXT cannot be such a message."
  (let ((position 0) ids)
    (while (string-match "\\([A-Za-z0-9._-]+\\)\\(?: (\\([0-9]+\\))\\)?" text position)
      (setq position (match-end 0))
      (let ((id (match-string 1 text))
            (count (match-string 2 text)))
        (if count
            (dotimes (index (ob-mesos--checked-count (string-to-number count)))
              (push (ob-mesos--member-id id index) ids))
          (push id ids))))
    (nreverse ids)))

;;;; What becomes of them

(defun ob-mesos--failed-members (group)
  "Those members of GROUP that have failed."
  (cl-remove-if-not #'ob-mesos-task-failed-p (ob-mesos-task-members group)))

(defun ob-mesos--tell-group (group)
  "Write down in GROUP how its members are."
  (let* ((members (ob-mesos-task-members group))
         (count (ob-mesos-task-count group))
         (failed (length (ob-mesos--failed-members group))))
    (setf (ob-mesos-task-data group)
          (list :id (ob-mesos-task-id group)
                :state (if (cl-every (lambda (member)
                                       (equal "QUEUED" (ob-mesos-task-state member)))
                                     members)
                           "QUEUED" "RUNNING")
                :message (concat (format "%d of %d done"
                                         (- (if (ob-mesos-task-more group) count
                                              (length members))
                                            (ob-mesos-task-left group))
                                         count)
                                 (and (> failed 0)
                                      (format ", %d failed" failed)))))))

(defun ob-mesos--member-line (member)
  "One line on MEMBER, which has ended."
  (concat (ob-mesos-task-title member) ": "
          (if (ob-mesos-task-failed-p member)
              (format "%s %s" (ob-mesos-task-state member)
                      (plist-get (ob-mesos-task-data member) :message))
            (car (split-string
                  (or (plist-get (ob-mesos-task-result member) :stdout) "")
                  "\n")))))

(defun ob-mesos--member-ended (member)
  "Take note that MEMBER has ended, in the group it belongs to if any."
  (when-let ((group (ob-mesos-task-group member)))
    (setf (ob-mesos-task-tail group)
          (string-join
           (last (append (split-string (ob-mesos-task-tail group) "\n" t)
                         (list (ob-mesos--member-line member)))
                 (or (plist-get (ob-mesos-task-block group) :tailLines) 10))
           "\n"))
    (if (zerop (cl-decf (ob-mesos-task-left group)))
        (ob-mesos--group-ended group)
      (ob-mesos--mark-dirty group))))

(defun ob-mesos--group-ended (group)
  "All members of GROUP have ended."
  (let ((failed (ob-mesos--failed-members group))
        (unmade (ob-mesos--unmade-count group)))
    (run-hook-with-args
     'ob-mesos-status-functions
     (list :id (ob-mesos-task-id group)
           :state (cond ((not (or failed (> unmade 0))) "FINISHED")
                        ((cl-every (lambda (member)
                                     (equal "KILLED" (ob-mesos-task-state member)))
                                   failed)
                         "KILLED")
                        (t "FAILED"))
           :terminal t
           :message (concat
                     (and (> unmade 0)
                          (format "%d of %d were not submitted%s" unmade
                                  (ob-mesos-task-count group) (if failed "; " "")))
                     (and failed
                          (format "%d of %d failed: %s" (length failed)
                                  (ob-mesos-task-count group)
                                  (ob-mesos--some-names
                                   (mapcar #'ob-mesos-task-title failed)))))
           :result (list :stdout (ob-mesos--gathered group) :stderr "")))))

(defun ob-mesos--gathered (group)
  "What the members of GROUP have written, each under a line with its title."
  (mapconcat
   (lambda (member)
     (let ((text (if (ob-mesos-task-failed-p member)
                     (ob-mesos--report member)
                   (ob-mesos--stdout member))))
       (concat "==> " (ob-mesos-task-title member) " <==\n"
               (ob-mesos--whole-lines text))))
   (ob-mesos-task-members group) ""))

(defun ob-mesos--group-value (group params)
  "The value of GROUP, whose members have all ended well, as PARAMS want it.
A table has the rows of all members; one line of text makes one row, or
one item of a list."
  (let ((result-params (cdr (assq :result-params params)))
        (members (ob-mesos-task-members group)))
    (cond
     ((not (or (member "table" result-params) (member "list" result-params)))
      (ob-mesos--gathered group))
     ((equal (ob-mesos-task-lang group) "mesos")
      (let* ((text (mapconcat (lambda (member)
                                (concat (string-trim-right
                                         (ob-mesos--stdout member) "\n")
                                        "\n"))
                              members ""))
             (value (ob-mesos--value text params)))
        (cond ((or (listp value) (string-blank-p text)) value)
              ;; Org makes a text of one row; it is read as the first of two.
              ((member "table" result-params)
               (list (car (ob-mesos--value (concat text text) params))))
              (t (split-string text "\n" t)))))
     (t
      (cl-loop for member in members
               for value = (ob-mesos--task-value member params)
               append (if (and (consp value) (cl-every #'consp value))
                          value
                        (list (if (listp value) value (list value)))))))))

(add-hook 'ob-mesos-ended-functions #'ob-mesos--member-ended)

(provide 'ob-mesos-group)
;;; ob-mesos-group.el ends here
