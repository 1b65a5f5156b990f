// SPDX-License-Identifier: MIT
// mlp_learn_phase - forward, backward, update: which phase of which layer comes next
//
//     forward    layers first to last; a sample that is not learned ends with its answer
//     backward   layers last to second
//     update     layers last to first
//
// Golden model   model/learning/backprop.py: forward, backward, update
// Latency        1 cycle from the end of a pass to the next one

`default_nettype none

module mlp_learn_phase #(
    parameter N_LAYERS = 2,             // linear layers, 1 .. 16
    parameter LAYER_W  = 1              // bits of a layer's number
) (
    input  wire               clk,
    input  wire               rst,      // synchronous, active high

    input  wire               begins,   // a sample is taken
    input  wire               in_learn,
    input  wire               pass,     // the last issue of this layer in this phase
    input  wire               answered, // the sample's probabilities have left

    output wire               idle,
    output wire               forward,
    output wire               backward,
    output wire               update,
    output reg  [LAYER_W-1:0] layer,
    output reg  [LAYER_W-1:0] next_layer,
    output wire               done      // the sample's last cycle
);

    localparam [2:0] IDLE = 3'd0, FORWARD = 3'd1, ANSWER = 3'd2, BACKWARD = 3'd3, UPDATE = 3'd4;

    localparam integer FINAL  = N_LAYERS - 1;
    localparam integer SECOND = 1;

    reg [2:0] phase, next_phase;
    reg       learn;

    wire first = layer == {LAYER_W{1'b0}};
    wire final_layer = layer == FINAL[LAYER_W-1:0];

    always @* begin
        next_phase = phase;
        next_layer = layer;
        case (phase)
            IDLE: begin
                next_layer = {LAYER_W{1'b0}};
                if (begins)
                    next_phase = FORWARD;
            end
            FORWARD:
                if (pass && final_layer)
                    next_phase = !learn ? ANSWER : N_LAYERS == 1 ? UPDATE : BACKWARD;
                else if (pass)
                    next_layer = layer + 1'b1;
            BACKWARD:
                if (pass && layer == SECOND[LAYER_W-1:0]) begin
                    next_phase = UPDATE;
                    next_layer = FINAL[LAYER_W-1:0];
                end else if (pass)
                    next_layer = layer - 1'b1;
            UPDATE:
                if (pass && first)
                    next_phase = IDLE;
                else if (pass)
                    next_layer = layer - 1'b1;
            default:
                if (answered)
                    next_phase = IDLE;
        endcase
    end

    always @(posedge clk)
        phase <= rst ? IDLE : next_phase;

    always @(posedge clk)
        layer <= rst ? {LAYER_W{1'b0}} : next_layer;

    always @(posedge clk) begin
        if (begins)
            learn <= in_learn;
    end

    assign idle     = phase == IDLE;
    assign forward  = phase == FORWARD;
    assign backward = phase == BACKWARD;
    assign update   = phase == UPDATE;
    assign done     = !idle && next_phase == IDLE;

endmodule

`default_nettype wire
