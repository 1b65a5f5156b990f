// SPDX-License-Identifier: MIT
// learn_order_properties - mlp_learn_order wants each sample once an epoch, whatever word is drawn
//
// Epochs have 1 to MOST samples. The solver draws words, takes samples, stalls and resets whenever
// it likes, and may draw again in the middle of an epoch.

`default_nettype none

module learn_order_properties #(
    parameter MOST = 4
) (
    input wire        clk,
    input wire        rst,
    input wire [15:0] samples,
    input wire        draw,
    input wire [15:0] draw_word,
    input wire        step,
    input wire        out_ready
);

    wire        busy, found, out_valid, out_last;
    wire [15:0] word, index, position, out_index;

    mlp_learn_order u_dut (
        .clk(clk), .rst(rst), .samples(samples), .draw(draw), .draw_word(draw_word),
        .load(1'b0), .load_word(16'd0), .load_index(16'd0), .load_position(16'd0), .step(step),
        .busy(busy), .found(found), .word(word), .index(index), .position(position),
        .out_valid(out_valid), .out_ready(out_ready), .out_last(out_last), .out_index(out_index)
    );

    reg            started = 1'b0;
    reg            stalled;
    reg [16:0]     offered;
    reg [15:0]     constant;
    reg [MOST-1:0] seen;                // samples that have come in this epoch
    reg [15:0]     left;                // those that have not

    wire [MOST-1:0] one = 1 << index;
    wire [MOST-1:0] all = (1 << samples) - 1;

    always @(posedge clk) begin
        started  <= 1'b1;
        constant <= samples;
        offered  <= {out_last, out_index};
        stalled  <= out_valid && !out_ready && !rst && !draw && !step;
        if (draw) begin
            seen <= 0;
            left <= samples;
        end else if (step) begin
            seen <= seen | one;
            left <= left - 1;
        end

        assume (samples >= 1 && samples <= MOST);
        if (!started)
            assume (rst);
        else
            assume (samples == constant);
        assume (!step || (found && !rst && !draw));
        assume (!draw || !rst);
        if (started && busy) begin
            counts_what_is_left: assert (left == samples - position && left != 0);
            counts_what_came: assert (left + seen[0] + seen[1] + seen[2] + seen[3] == samples);
            if (found) begin
                comes_once: assert (index < samples && !(seen & one));
                ends_with_all: assert (out_last == ((seen | one) == all));
            end
        end
        if (started && stalled)
            stable_while_stalled: assert (out_valid && {out_last, out_index} == offered);
    end

    wire unused = &{1'b0, word};

endmodule

`default_nettype wire
